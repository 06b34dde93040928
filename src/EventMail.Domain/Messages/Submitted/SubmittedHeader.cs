using System.Buffers;
using System.Globalization;
using System.Text;

namespace EventMail.Domain.Messages.Submitted;

/// <summary>
/// The header of a message that a user hands in, read once: whose it says it is, and what is to be put right in it before it may go out
/// (RFC 6409 §8). Immutable.
/// </summary>
public sealed class SubmittedHeader
{
    /// <summary>Addresses of From and Sender; a message that names more is refused.</summary>
    public const int MaxAddresses = 100;

    private readonly ReadOnlyMemory<byte> _header;
    private readonly List<(Range Range, SubmittedField Name)> _fields;
    private readonly int _end;
    private readonly ResentBlock _resent;

    private SubmittedHeader(ReadOnlyMemory<byte> header, List<(Range, SubmittedField)> fields, int end)
    {
        (_header, _fields, _end) = (header, fields, end);
        _resent = ResentBlock.Of(fields.ConvertAll(field => field.Item2));
    }

    /// <summary>Its authors: the addresses of From, or of Resent-From where it was sent on (RFC 5322 §3.6.6). Never empty.</summary>
    public IReadOnlyList<HeaderAddress> Authors { get; private set; } = [];

    /// <summary>Where the message was sent on: the addresses of From.</summary>
    public IReadOnlyList<HeaderAddress> OriginalAuthors { get; private set; } = [];

    /// <summary>The addresses of Sender, or of Resent-Sender; empty where there is none.</summary>
    public IReadOnlyList<HeaderAddress> Senders { get; private set; } = [];

    /// <summary>It was sent on by whom <see cref="Authors"/> names; From is somebody else's.</summary>
    public bool IsResent => _resent.Exists;

    /// <summary>Nothing of what remains in the message is beyond ASCII.</summary>
    public bool IsAscii { get; private set; }

    public bool HasBcc { get; private set; }

    /// <summary>MT-Priority's value without comments where the field stands once; null otherwise (RFC 6758 §3.1, §4).</summary>
    public string? Priority { get; private set; }

    /// <summary>"TLS-Required: No" (RFC 8689 §3): it may go without TLS whatever the recipient's domain asks for.</summary>
    public bool TlsNotRequired { get; private set; }

    /// <param name="header">From the first octet to the empty line, or to the message's end. Kept: must not change.</param>
    public static Result<SubmittedHeader> Read(ReadOnlyMemory<byte> header)
    {
        var octets = header.Span;
        // What some reader would take for another line is no header that can be checked.
        if (HasBareLineEnd(octets) || octets.Contains((byte)0))
            return Rejection.Invalid("The header has a NUL, or a CR or LF that ends no line");
        var fields = new List<(Range, SubmittedField)>(32);
        var at = 0;
        for (var start = 0; HeaderFields.TryNext(octets, ref at, out var field); start = at)
        {
            if (Ascii.IsWsp(field[0]) || SubmittedFields.Find(HeaderFields.NameOf(field)) is not { } name)
                return Rejection.Invalid("A line of the header is no field");
            fields.Add((start..at, name));
        }

        var read = new SubmittedHeader(header, fields, at);
        return read.Understand() is { } rejection ? rejection : read;
    }

    /// <summary>The header as it may go out, the empty line included.</summary>
    /// <param name="keepBcc">For the sender's own copy.</param>
    public byte[] Write(HeaderAdditions additions, bool keepBcc = false)
    {
        var output = new ArrayBufferWriter<byte>(_header.Length + 300);
        for (var i = 0; i < _fields.Count; i++)
        {
            if (i == _resent.Start)
                Write(output, MissingFromBlock(additions));
            if (IsKept(_fields[i].Name, keepBcc) && !(_fields[i].Name == SubmittedField.Priority && additions.Priority is not null))
                output.Write(_header.Span[_fields[i].Range]);
        }

        if (_end > 0 && _header.Span[_end - 1] != (byte)'\n')
            output.Write("\r\n"u8);
        // RFC 6758 §3.3: for hosts that do not take the parameter; at our end already, so that the signature covers it.
        if (additions.Priority is { } priority)
            Write(output, string.Create(CultureInfo.InvariantCulture, $"MT-Priority: {priority}\r\n"));
        Write(output, IsResent ? "" : Missing(additions));
        output.Write("\r\n"u8);
        return output.WrittenSpan.ToArray();
    }

    // RFC 5322 §3.6: From once, Sender at most once.
    private Rejection? Understand()
    {
        if (Count(SubmittedField.From) == 0)
            return Rejection.Invalid("The message has no From field");
        if (Count(SubmittedField.From) > 1)
            return Rejection.Invalid("The message has more than one From field");
        if (Count(SubmittedField.Sender) > 1)
            return Rejection.Invalid("The message has more than one Sender field");
        if (IsResent && _resent.From is null)
            return Rejection.Invalid("The message has Resent- fields without Resent-From");

        if (Addresses(IndexOf(SubmittedField.From)) is not { } from)
            return Rejection.Invalid("The From field is more or less than a list of addresses");
        if (Addresses(IsResent ? _resent.From : null) is not { } resentFrom)
            return Rejection.Invalid("The Resent-From field is more or less than a list of addresses");
        if (Addresses(IsResent ? _resent.Sender : IndexOf(SubmittedField.Sender)) is not { } senders)
            return Rejection.Invalid($"The {(IsResent ? "Resent-Sender" : "Sender")} field is more or less than a list of addresses");
        (Authors, Senders, OriginalAuthors) = IsResent ? (resentFrom, senders, from) : (from, senders, []);
        if (Authors.Count == 0)
            return Rejection.Invalid($"The {(IsResent ? "Resent-From" : "From")} field has no address");
        if (Authors.Count >= MaxAddresses || Senders.Count >= MaxAddresses)
            return Rejection.Invalid("The message has too many authors");

        HasBcc = _fields.Exists(field => field.Name is SubmittedField.Bcc or SubmittedField.ResentBcc);
        IsAscii = _fields.TrueForAll(field => !IsKept(field.Name, keepBcc: false) || System.Text.Ascii.IsValid(_header.Span[field.Range]));
        Priority = Count(SubmittedField.Priority) == 1 ? WordOf(IndexOf(SubmittedField.Priority)!.Value) : null;
        TlsNotRequired = Count(SubmittedField.TlsRequired) == 1
            && string.Equals(ValueOf(IndexOf(SubmittedField.TlsRequired)), "No", StringComparison.OrdinalIgnoreCase);
        return null;
    }

    // RFC 6409 §8.1 to §8.3, and RFC 5322 §3.6.2: with several authors somebody is responsible for the sending.
    private string Missing(HeaderAdditions additions)
    {
        var text = new StringBuilder();
        if (Count(SubmittedField.Date) == 0)
            text.Append(CultureInfo.InvariantCulture, $"Date: {MessageDate.Text(additions.Date)}\r\n");
        if (Count(SubmittedField.MessageId) == 0)
            text.Append(CultureInfo.InvariantCulture, $"Message-ID: <{additions.MessageId}>\r\n");
        if (Senders.Count == 0 && (Authors.Count > 1 || additions.NeedsSender))
            text.Append(CultureInfo.InvariantCulture, $"Sender: <{additions.Sender}>\r\n");
        return text.ToString();
    }

    // RFC 5322 §3.6.6
    private string MissingFromBlock(HeaderAdditions additions)
    {
        var text = new StringBuilder();
        if (!_resent.HasDate)
            text.Append(CultureInfo.InvariantCulture, $"Resent-Date: {MessageDate.Text(additions.Date)}\r\n");
        if (!_resent.HasMessageId)
            text.Append(CultureInfo.InvariantCulture, $"Resent-Message-ID: <{additions.MessageId}>\r\n");
        if (Senders.Count == 0 && (Authors.Count > 1 || additions.NeedsSender))
            text.Append(CultureInfo.InvariantCulture, $"Resent-Sender: <{additions.Sender}>\r\n");
        return text.ToString();
    }

    private static void Write(ArrayBufferWriter<byte> output, string text) => Encoding.UTF8.GetBytes(text, output);

    // RFC 5322 §3.6.3: who is in Bcc is nobody's business. Return-Path is written at the final delivery only (RFC 5321 §4.4).
    private static bool IsKept(SubmittedField name, bool keepBcc) => name switch
    {
        SubmittedField.Bcc or SubmittedField.ResentBcc => keepBcc,
        SubmittedField.ReturnPath => false,
        _ => true,
    };

    private int Count(SubmittedField name) => _fields.Count(field => field.Name == name);

    private int? IndexOf(SubmittedField name) => _fields.FindIndex(field => field.Name == name) is var at and >= 0 ? at : null;

    private string? ValueOf(int? index) => index is { } at
        ? Encoding.Latin1.GetString(Value(at)).Trim()
        : null;

    // [CFWS] word [CFWS]; null when there is more, or nothing.
    private string? WordOf(int index)
    {
        var value = Value(index).ToArray();
        var tokens = new HeaderTokens(value, 0, value.Length);
        tokens.SkipCfws();
        var start = tokens.Position;
        while (!tokens.AtEnd && !Ascii.IsSpace(tokens.Current) && tokens.Current != (byte)'(')
            tokens.Position++;
        var word = value.AsSpan(start, tokens.Position - start);
        tokens.SkipCfws();
        return tokens.AtEnd && !word.IsEmpty ? Encoding.Latin1.GetString(word) : null;
    }

    private ReadOnlySpan<byte> Value(int index)
    {
        var field = _header.Span[_fields[index].Range];
        return field[(field.IndexOf((byte)':') + 1)..];
    }

    // Null for a field that readers may understand differently: with something beside its addresses, or with routes, which nobody
    // writes any more (RFC 5322 §4.4) and some take for the address.
    private List<HeaderAddress>? Addresses(int? index)
    {
        var result = new List<HeaderAddress>();
        if (index is not { } at)
            return result;
        var addresses = new List<Address>();
        var isWhole = AddressList.Read(Octets.Of(Value(at)), addresses, MaxAddresses);
        if ((!isWhole && addresses.Count < MaxAddresses) || addresses.Exists(address => !address.Route.IsNil))
            return null;
        foreach (var address in addresses)
        {
            if (!address.IsGroupStart && !address.IsGroupEnd)
                result.Add(new(address.Mailbox.ToString(), address.Host.ToString()));
        }

        return result;
    }

    private static bool HasBareLineEnd(ReadOnlySpan<byte> octets)
    {
        while (octets.IndexOfAny((byte)'\r', (byte)'\n') is var at and >= 0)
        {
            if (octets[at] == (byte)'\n' || at + 1 == octets.Length || octets[at + 1] != (byte)'\n')
                return true;
            octets = octets[(at + 2)..];
        }

        return false;
    }
}

/// <summary>An address of the header, comments and quotes gone.</summary>
/// <param name="Domain">As written; something that is no host name where it was missing.</param>
public readonly record struct HeaderAddress(string LocalPart, string Domain)
{
    public override string ToString() => $"{LocalPart}@{Domain}";
}

/// <summary>What is written where the client left it out.</summary>
/// <param name="MessageId">Without angle brackets.</param>
/// <param name="Sender">The account's address.</param>
/// <param name="NeedsSender">The author is not the account: Sender says who it was.</param>
public sealed record HeaderAdditions(DateTimeOffset Date, string MessageId, string Sender, bool NeedsSender)
{
    /// <summary>MT-Priority as it shall be, whatever the client wrote; null to leave its fields alone.</summary>
    public int? Priority { get; init; }
}
