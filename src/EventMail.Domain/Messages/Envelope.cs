namespace EventMail.Domain.Messages;

/// <summary>
/// RFC 3501 §7.4.2: the envelope of a message. Texts are the raw field bodies (folded, encoded words not decoded).
/// Several fields of one address kind are read as one list, so that none can hide behind another.
/// </summary>
public sealed class Envelope
{
    private readonly MessagePart _part;
    private readonly int _maxAddresses;

    /// <param name="maxAddresses">Of each field.</param>
    internal Envelope(MessagePart part, int maxAddresses)
    {
        (_part, _maxAddresses) = (part, maxAddresses);
        From = Addresses(HeaderName.From);
        To = Addresses(HeaderName.To);
        Cc = Addresses(HeaderName.Cc);
        Bcc = Addresses(HeaderName.Bcc);
        // RFC 3501 §7.4.2: Sender and Reply-To default to From.
        Sender = OrFrom(Addresses(HeaderName.Sender));
        ReplyTo = OrFrom(Addresses(HeaderName.ReplyTo));
    }

    public Octets Date => First(HeaderName.Date);

    public Octets Subject => First(HeaderName.Subject);

    public IReadOnlyList<Address> From { get; }

    public IReadOnlyList<Address> Sender { get; }

    public IReadOnlyList<Address> ReplyTo { get; }

    public IReadOnlyList<Address> To { get; }

    public IReadOnlyList<Address> Cc { get; }

    public IReadOnlyList<Address> Bcc { get; }

    public Octets InReplyTo => First(HeaderName.InReplyTo);

    public Octets MessageId => First(HeaderName.MessageId);

    private Octets First(HeaderName name) => _part.FindField(name);

    private IReadOnlyList<Address> OrFrom(IReadOnlyList<Address> own) => own.Count > 0 ? own : From;

    private IReadOnlyList<Address> Addresses(HeaderName name)
    {
        List<Address>? list = null;
        foreach (ref readonly var field in _part.HeaderFields)
        {
            if (field.Name == name)
                AddressList.Read(_part.ValueOf(field), list ??= [], _maxAddresses);
        }
        return list is null ? [] : list;
    }
}
