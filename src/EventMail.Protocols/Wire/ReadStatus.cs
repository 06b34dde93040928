namespace EventMail.Protocols.Wire;

/// <summary>Why a wait for input ended.</summary>
public enum ReadStatus
{
    /// <summary>The buffer holds something that was not there before, or was not yet examined.</summary>
    Data,

    /// <summary>The client closed its side; what is buffered is all there will be.</summary>
    Closed,

    /// <summary>Nothing came before the deadline.</summary>
    TimedOut,

    /// <summary>The server is shutting down: end what is in progress, say goodbye, close.</summary>
    Stopping,

    /// <summary>Somebody called <see cref="MailConnection.Wake"/>: a mailbox changed, or an operator wants the connection's attention.</summary>
    Woken,
}

/// <summary>What <see cref="MailConnection.ReadLineAsync"/> found.</summary>
public enum LineStatus
{
    Line,
    TooLong,
    Closed,
    TimedOut,
    Stopping,
    Woken,
}
