using System.Buffers.Binary;
using System.Text;
using EventMail.Protocols.Smtp.Data;
using EventMail.Protocols.Smtp.Reception;

namespace EventMail.Protocols.Filters.Milter;

/// <summary>What a milter wants changed at the end of a message: collected first, and made only when it has said its last word.</summary>
internal sealed class MilterChanges(SpoolSpace spool, MilterOptions options, MilterActions granted, bool leadingSpace) : IAsyncDisposable
{
    private static readonly byte[] EmptyLine = "\r\n"u8.ToArray();

    private readonly List<Action<EditableHeader>> _fields = [];
    private MessageSpool? _body;

    /// <summary>Why it is to be set aside; null when it is not.</summary>
    public string? Quarantine { get; private set; }

    /// <returns>False when the packet is no change.</returns>
    /// <exception cref="InvalidDataException">It was not granted, or makes no sense, or too much is asked for.</exception>
    public async ValueTask<bool> TakeAsync(MilterPacket packet, CancellationToken cancel)
    {
        switch (packet.Reply)
        {
            case MilterReply.AddHeader:
                Need(MilterActions.AddHeaders);
                var added = Field(packet.Data.Span);
                Add(header => header.Append(added));
                return true;
            case MilterReply.InsertHeader:
                Need(MilterActions.AddHeaders);
                var (place, inserted) = (Number(packet.Data.Span), Field(packet.Data.Span[4..]));
                Add(header => header.Insert(place, inserted));
                return true;
            case MilterReply.ChangeHeader:
                Need(MilterActions.ChangeHeaders);
                Change(packet.Data.Span);
                return true;
            case MilterReply.ReplaceBody:
                Need(MilterActions.ChangeBody);
                await ReplaceAsync(packet.Data, cancel).ConfigureAwait(false);
                return true;
            case MilterReply.Quarantine:
                Need(MilterActions.Quarantine);
                Quarantine = Texts(packet.Data.Span).First;
                return true;
            case MilterReply.ChangeSender or MilterReply.AddRecipient or MilterReply.AddRecipientWithParameters or MilterReply.DeleteRecipient:
                throw new InvalidDataException("it wants to change the envelope, which was not granted");
            default:
                return packet.Reply == MilterReply.Progress;
        }
    }

    /// <summary>The body is the message's from now on.</summary>
    public void ApplyTo(ReceivedMessage message)
    {
        if (_fields.Count > 0)
        {
            var header = new EditableHeader(message);
            foreach (var change in _fields)
                change(header);
            header.ApplyTo(message);
        }
        if (_body is not null)
            message.ReplaceBody(_body);
        _body = null;
    }

    public ValueTask DisposeAsync() => _body?.DisposeAsync() ?? default;

    private void Add(Action<EditableHeader> change)
    {
        if (_fields.Count == options.MaxEdits)
            throw new InvalidDataException($"it changes more than {options.MaxEdits} fields");
        _fields.Add(change);
    }

    private void Need(MilterActions action)
    {
        if ((granted & action) == 0)
            throw new InvalidDataException($"it does what it did not ask for ({action})");
    }

    // The nth field of the name gets the value, and goes where the value is empty; one that is not there is added.
    private void Change(ReadOnlySpan<byte> data)
    {
        var nth = Math.Max(1, Number(data));
        var (name, value) = Texts(data[4..]);
        var field = value.Length == 0 ? null : Whole(name, value);
        Add(header =>
        {
            if (!header.Change(name, nth, field) && field is not null)
                header.Append(field);
        });
    }

    private async ValueTask ReplaceAsync(ReadOnlyMemory<byte> piece, CancellationToken cancel)
    {
        if (_body is null)
        {
            _body = spool.Begin();
            // A spool's header ends here: all of the rest is body.
            await _body.WriteAsync(EmptyLine, cancel).ConfigureAwait(false);
        }
        await _body.WriteAsync(piece, cancel).ConfigureAwait(false);
        if (_body.Size > options.MaxBody)
            throw new InvalidDataException($"its body has more than {options.MaxBody} octets");
    }

    private string Field(ReadOnlySpan<byte> data)
    {
        var (name, value) = Texts(data);
        return Whole(name, value);
    }

    private string Whole(string name, string value) =>
        FieldText.Field(name, value, !leadingSpace) ?? throw new InvalidDataException("it adds a field that is none");

    private static uint Number(ReadOnlySpan<byte> data) =>
        data.Length >= 4 ? BinaryPrimitives.ReadUInt32BigEndian(data) : throw new InvalidDataException("its packet is cut short");

    // One or two texts, each with NUL behind it.
    private static (string First, string Second) Texts(ReadOnlySpan<byte> data)
    {
        var end = data.IndexOf((byte)0);
        if (end < 0)
            throw new InvalidDataException("its packet is cut short");
        var rest = data[(end + 1)..];
        var next = rest.IndexOf((byte)0);
        return (Encoding.UTF8.GetString(data[..end]), Encoding.UTF8.GetString(next < 0 ? rest : rest[..next]));
    }
}
