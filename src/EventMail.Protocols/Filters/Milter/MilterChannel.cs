using System.Buffers.Binary;

namespace EventMail.Protocols.Filters.Milter;

/// <summary>A connection to one milter for one transaction, bounded in time: what both sides agreed on, and answers.</summary>
internal sealed class MilterChannel(Stream stream, MilterOptions options) : IAsyncDisposable
{
    // Sendmail 8.14's; a milter may speak an older one.
    private const uint Version = 6;

    // Before it the steps had other meanings.
    private const uint OldestVersion = 2;

    /// <summary>What milters may do here. Who gets a message is said by accounts and aliases alone.</summary>
    public const MilterActions Granted = MilterActions.AddHeaders | MilterActions.ChangeHeaders | MilterActions.ChangeBody | MilterActions.Quarantine;

    // All but recipients that this server refused.
    private const MilterSteps Offered =
        MilterSteps.NoConnect | MilterSteps.NoHelo | MilterSteps.NoMail | MilterSteps.NoRcpt | MilterSteps.NoBody | MilterSteps.NoHeaders
        | MilterSteps.NoEndOfHeaders | MilterSteps.NoReplyToHeader | MilterSteps.NoUnknown | MilterSteps.NoData | MilterSteps.Skip
        | MilterSteps.NoReplyToConnect | MilterSteps.NoReplyToHelo | MilterSteps.NoReplyToMail | MilterSteps.NoReplyToRcpt
        | MilterSteps.NoReplyToData | MilterSteps.NoReplyToUnknown | MilterSteps.NoReplyToEndOfHeaders | MilterSteps.NoReplyToBody
        | MilterSteps.LeadingSpace;

    private CancellationTokenSource _whole = new();
    private CancellationTokenSource _one = new();
    private MilterSteps _steps;

    public MilterWire Wire { get; } = new(stream, options.MaxPacket);

    /// <summary>What the milter may do to the message.</summary>
    public MilterActions Actions { get; private set; }

    public bool Has(MilterSteps step) => (_steps & step) != 0;

    /// <summary>What follows, until this is called again, is bounded in time. Between two of them the client may take its own.</summary>
    public void Limit(TimeSpan time, CancellationToken cancel)
    {
        _one.Dispose();
        _whole.Dispose();
        _whole = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        _whole.CancelAfter(time);
        _one = CancellationTokenSource.CreateLinkedTokenSource(_whole.Token);
    }

    public async ValueTask NegotiateAsync()
    {
        Wire.Begin(MilterCommand.Negotiate);
        Wire.Number(Version);
        Wire.Number((uint)Granted);
        Wire.Number((uint)Offered);
        Wire.End();
        var answer = await AskAsync().ConfigureAwait(false);
        // Lists of macros may follow; they are not granted.
        if (answer.Reply != MilterReply.Negotiate || answer.Data.Length < 12)
            throw new InvalidDataException("it does not negotiate");
        var octets = answer.Data.Span;
        var version = BinaryPrimitives.ReadUInt32BigEndian(octets);
        if (version is < OldestVersion or > Version)
            throw new InvalidDataException($"it speaks version {version} of the protocol");
        Actions = (MilterActions)BinaryPrimitives.ReadUInt32BigEndian(octets[4..]) & Granted;
        _steps = (MilterSteps)BinaryPrimitives.ReadUInt32BigEndian(octets[8..]);
        // What was not offered and asks us to do something cannot be done.
        if ((_steps & ~Offered & ~MilterSteps.RefusedRecipients) != 0)
            throw new InvalidDataException($"it asks for steps {_steps:x} that were not offered");
    }

    /// <summary>Sends what is waiting, and reads the answer; that a milter is still at work is none.</summary>
    public async ValueTask<MilterPacket> AskAsync()
    {
        await Wire.FlushAsync(Soon()).ConfigureAwait(false);
        while (true)
        {
            var packet = await Wire.ReadAsync(Soon()).ConfigureAwait(false);
            if (packet.Reply != MilterReply.Progress)
                return packet;
        }
    }

    /// <summary>The next answer at the end of the message, which may take all the time that is left.</summary>
    public async ValueTask<MilterPacket> NextAsync()
    {
        await Wire.FlushAsync(Soon()).ConfigureAwait(false);
        return await Wire.ReadAsync(_whole.Token).ConfigureAwait(false);
    }

    /// <summary>The time in which one thing must be done.</summary>
    public CancellationToken Soon()
    {
        _one.CancelAfter(options.ReplyTimeout);
        return _one.Token;
    }

    public ValueTask DisposeAsync()
    {
        _one.Dispose();
        _whole.Dispose();
        return stream.DisposeAsync();
    }
}
