using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace EventMail.Protocols.MailAuth.Spf;

/// <summary>Reads the text of an SPF record (RFC 7208 §4.6.1, §12).</summary>
internal static class SpfParser
{
    private const string Version = "v=spf1";

    // mechanism names with what may follow them.
    private static readonly (string Name, SpfMechanism Mechanism)[] Mechanisms =
    [
        ("all", SpfMechanism.All),
        ("include", SpfMechanism.Include),
        ("a", SpfMechanism.A),
        ("mx", SpfMechanism.Mx),
        ("ptr", SpfMechanism.Ptr),
        ("ip4", SpfMechanism.Ip4),
        ("ip6", SpfMechanism.Ip6),
        ("exists", SpfMechanism.Exists),
    ];

    /// <summary>RFC 7208 §4.5: the version section, then a space or the end.</summary>
    public static bool IsPolicy(string text) =>
        text.StartsWith(Version, StringComparison.OrdinalIgnoreCase) && (text.Length == Version.Length || text[Version.Length] == ' ');

    /// <param name="text">One for which <see cref="IsPolicy"/> is true.</param>
    /// <param name="fault">The term that is wrong, where the answer is null.</param>
    public static SpfRecord? Parse(string text, out string? fault)
    {
        var directives = new List<SpfDirective>();
        MacroString? redirect = null;
        MacroString? explanation = null;
        fault = null;
        // terms = *( 1*SP ( directive / modifier ) ); record = version terms *SP
        foreach (var term in text[Version.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            fault = term;
            var equals = ModifierName(term);
            if (equals < 0)
            {
                if (Directive(term) is not { } directive)
                    return null;
                directives.Add(directive);
                continue;
            }

            var (name, value) = (term[..equals], term[(equals + 1)..]);
            if (name.Equals("redirect", StringComparison.OrdinalIgnoreCase))
            {
                // RFC 7208 §6: neither may stand there twice.
                if (redirect is not null || (redirect = MacroString.ParseDomain(value)) is null)
                    return null;
            }
            else if (name.Equals("exp", StringComparison.OrdinalIgnoreCase))
            {
                if (explanation is not null || (explanation = MacroString.ParseDomain(value)) is null)
                    return null;
            }
            else if (MacroString.Parse(value) is null)
            {
                // unknown-modifier = name "=" macro-string
                return null;
            }
        }

        fault = null;
        return new(directives, redirect, explanation);
    }

    // name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." ), then "=": where that is; -1 for a directive.
    private static int ModifierName(string term)
    {
        if (!char.IsAsciiLetter(term[0]))
            return -1;
        for (var i = 1; i < term.Length; i++)
        {
            if (term[i] == '=')
                return i;
            if (!char.IsAsciiLetterOrDigit(term[i]) && term[i] is not ('-' or '_' or '.'))
                return -1;
        }
        return -1;
    }

    // directive = [ qualifier ] mechanism
    private static SpfDirective? Directive(string term)
    {
        var result = term[0] switch
        {
            '-' => SpfResult.Fail,
            '~' => SpfResult.SoftFail,
            '?' => SpfResult.Neutral,
            _ => SpfResult.Pass,
        };
        var rest = term[0] is '+' or '-' or '~' or '?' ? term[1..] : term;
        var end = rest.AsSpan().IndexOfAny(':', '/');
        var name = end < 0 ? rest : rest[..end];
        var argument = end < 0 ? "" : rest[end..];
        foreach (var known in Mechanisms)
        {
            if (known.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
                return Mechanism(result, known.Mechanism, argument);
        }
        return null;
    }

    // The argument begins with its ":" or "/".
    private static SpfDirective? Mechanism(SpfResult result, SpfMechanism mechanism, string argument) => mechanism switch
    {
        SpfMechanism.All => argument.Length == 0 ? new(result, mechanism) : null,
        SpfMechanism.Include or SpfMechanism.Exists =>
            Target(argument) is { } target ? new(result, mechanism, target) : null,
        SpfMechanism.Ptr =>
            argument.Length == 0 ? new(result, mechanism)
            : Target(argument) is { } target ? new(result, mechanism, target) : null,
        SpfMechanism.A or SpfMechanism.Mx => Hosts(result, mechanism, argument),
        _ => Network(result, mechanism, argument),
    };

    // ":" domain-spec
    private static MacroString? Target(string argument) => argument.StartsWith(':') ? MacroString.ParseDomain(argument[1..]) : null;

    // a = "a" [ ":" domain-spec ] [ dual-cidr-length ], and mx likewise
    private static SpfDirective? Hosts(SpfResult result, SpfMechanism mechanism, string argument)
    {
        var (prefix4, prefix6) = (32, 128);
        // dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ]; a "/" may belong to the domain, too.
        if (LastNumber(argument) is var slash and > 0 && argument[slash - 1] == '/')
        {
            if (!TryPrefix(argument[(slash + 1)..], 128, out prefix6))
                return null;
            argument = argument[..(slash - 1)];
        }
        if (LastNumber(argument) is var single and >= 0)
        {
            if (!TryPrefix(argument[(single + 1)..], 32, out prefix4))
                return null;
            argument = argument[..single];
        }

        if (argument.Length == 0)
            return new(result, mechanism, null, null, prefix4, prefix6);
        return Target(argument) is { } target ? new(result, mechanism, target, null, prefix4, prefix6) : null;
    }

    // ip4 = "ip4" ":" ip4-network [ ip4-cidr-length ], and ip6 likewise
    private static SpfDirective? Network(SpfResult result, SpfMechanism mechanism, string argument)
    {
        if (!argument.StartsWith(':'))
            return null;
        var is4 = mechanism == SpfMechanism.Ip4;
        var bits = is4 ? 32 : 128;
        var slash = argument.IndexOf('/', StringComparison.Ordinal);
        var prefix = bits;
        if (slash >= 0 && !TryPrefix(argument[(slash + 1)..], bits, out prefix))
            return null;
        var network = slash < 0 ? argument[1..] : argument[1..slash];
        return TryAddress(network, is4, out var address)
            ? new(result, mechanism, null, address, is4 ? prefix : 32, is4 ? 128 : prefix)
            : null;
    }

    private static bool TryAddress(string text, bool is4, out IPAddress? address)
    {
        address = null;
        // Four decimal numbers and nothing shorter; no scope of an interface.
        if (is4 ? !IsDottedQuad(text) : text.AsSpan().IndexOfAnyExcept("0123456789abcdefABCDEF:.") >= 0)
            return false;
        return IPAddress.TryParse(text, out address)
            && address.AddressFamily == (is4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6);
    }

    // qnum has no leading zero.
    private static bool IsDottedQuad(string text)
    {
        var parts = text.Split('.');
        return parts.Length == 4 && parts.All(part => TryPrefix(part, 255, out _));
    }

    // Where the "/" of "/" 1*DIGIT at the end is; -1 for none.
    private static int LastNumber(string text)
    {
        var slash = text.LastIndexOf('/');
        return slash >= 0 && slash + 1 < text.Length && text.AsSpan(slash + 1).IndexOfAnyExceptInRange('0', '9') < 0 ? slash : -1;
    }

    // "0" / %x31-39 *DIGIT
    private static bool TryPrefix(string digits, int most, out int prefix) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out prefix) && prefix <= most && (digits[0] != '0' || digits.Length == 1);
}
