namespace EventMail.Protocols.Smtp.Client;

/// <summary>Why there is no reply.</summary>
internal enum ReplyFault
{
    None,
    Lost,
    TimedOut,

    /// <summary>Not the grammar of replies, or beyond <see cref="ClientLimits"/>.</summary>
    Garbage,

    Cancelled,
}

/// <summary>A remote host's reply, or what came instead of one.</summary>
/// <param name="Code">0 when there was none.</param>
/// <param name="Enhanced">As the host said it; ours for a fault; else null.</param>
/// <param name="Text">One printable line, without the codes.</param>
/// <param name="Lines">The lines' texts as they came, for EHLO and AUTH.</param>
internal sealed record RemoteReply(int Code, string? Enhanced, string Text, IReadOnlyList<string> Lines, ReplyFault Fault = ReplyFault.None)
{
    public bool IsPositive => Code is >= 200 and < 300;

    public bool IsIntermediate => Code is >= 300 and < 400;

    public bool IsNegative => Code >= 400;

    /// <summary>Nothing more can be said over this connection. RFC 5321 §3.8: 421 may come at any time.</summary>
    public bool Ends => Code is 0 or 421;

    public static RemoteReply Lost(string text) => new(0, "4.4.2", text, [], ReplyFault.Lost);

    public static RemoteReply TimedOut(TimeSpan timeout) =>
        new(0, "4.4.2", $"No reply within {(long)timeout.TotalSeconds} s", [], ReplyFault.TimedOut);

    public static RemoteReply TooSlow { get; } = new(0, "4.4.2", "The transaction took too long", [], ReplyFault.TimedOut);

    public static RemoteReply Garbage(string text) => new(0, "4.5.0", text, [], ReplyFault.Garbage);

    public static RemoteReply Cancelled { get; } = new(0, "4.3.2", "The connection was given up", [], ReplyFault.Cancelled);
}
