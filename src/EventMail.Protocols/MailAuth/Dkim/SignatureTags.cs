using System.Globalization;

namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>Reads the values of a signature's tags. What is wrong is kept; the first fault counts.</summary>
internal sealed class SignatureTags(TagList tags)
{
    /// <summary>RFC 6376 §3.5: l= has 1*76DIGIT.</summary>
    public const int LengthDigits = 76;

    /// <summary>RFC 6376 §3.5: t= and x= have 1*12DIGIT.</summary>
    public const int TimeDigits = 12;

    public DkimFault? Fault { get; private set; }

    public void Require(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            // RFC 6376 §6.1.1: "return PERMFAIL (signature missing required tag)"
            if (!tags.Has(name))
                Refuse(DkimVerdict.PermError, $"signature missing required tag {name}=");
        }
    }

    /// <summary>a=</summary>
    public DkimAlgorithm Algorithm()
    {
        var name = tags.Text("a");
        var algorithm = DkimAlgorithms.Find(name);
        if (algorithm is null)
            // RFC 8301 §3.1: rsa-sha1 has "permanently failed evaluation".
            Refuse(DkimVerdict.PermError, name == "rsa-sha1" ? "rsa-sha1 is historic" : "unknown algorithm");
        return algorithm.GetValueOrDefault();
    }

    /// <summary>d=</summary>
    public string Domain()
    {
        if (!DkimNames.TryDomain(tags.Text("d"), out var domain))
            Refuse(DkimVerdict.PermError, "d= is no domain");
        return domain ?? "";
    }

    /// <summary>s=</summary>
    public string Selector(string domain)
    {
        if (!DkimNames.TrySelector(tags.Text("s"), out var selector) || DkimNames.KeyName(selector, domain) is null)
            Refuse(DkimVerdict.PermError, "s= is no selector");
        return selector ?? "";
    }

    public byte[] Octets(string name)
    {
        var octets = tags.Base64(name);
        if (octets is not { Length: > 0 })
            Refuse(DkimVerdict.Neutral, $"{name}= is not base64");
        return octets ?? [];
    }

    /// <summary>Without a tag null; what is beyond a long is the greatest one.</summary>
    public long? Number(string name, int digits)
    {
        if (tags.Text(name) is not { } text)
            return null;
        if (text.Length is 0 || text.Length > digits || !text.All(char.IsAsciiDigit))
            Refuse(DkimVerdict.Neutral, $"{name}= is no number");
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : long.MaxValue;
    }

    /// <summary>h=, lower case.</summary>
    public string[] Names(int limit)
    {
        if (tags.Value("h").Count((byte)':') >= limit)
        {
            Refuse(DkimVerdict.PermError, "too many names in h=");
            return [];
        }
        string[] names = [.. tags.Items("h").Select(name => name.ToLowerInvariant())];
        if (!names.All(IsFieldName))
            Refuse(DkimVerdict.Neutral, "h= is no list of field names");
        return names;
    }

    public void Refuse(DkimVerdict verdict, string reason) => Fault ??= new(verdict, reason);

    // RFC 5322 §3.6.8: ftext = %d33-57 / %d59-126; RFC 6376 §2.10 leaves out ";".
    private static bool IsFieldName(string name) => name.Length > 0 && name.All(c => c is > ' ' and < '\x7F' and not ';');
}
