namespace EventMail.Protocols.Pop3;

/// <summary>RFC 1939 §3. UPDATE is what QUIT does.</summary>
[Flags]
internal enum Pop3States
{
    Authorization = 1,
    Transaction = 2,
    Both = Authorization | Transaction,
}

/// <summary>What may follow a command's keyword.</summary>
internal enum Pop3Syntax
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>SP and the rest of the line as it is.</summary>
    Text,

    /// <summary>Any number of words; the command looks itself.</summary>
    Words,

    /// <summary>[msg]</summary>
    OptionalMessage,

    /// <summary>msg</summary>
    Message,

    /// <summary>msg n</summary>
    MessageAndLines,
}

/// <summary>A row of the command table.</summary>
/// <param name="Usage">Told to who gets the arguments wrong.</param>
internal sealed record Pop3Command(
    string Keyword, Pop3States States, Pop3Syntax Syntax, string Usage, Func<Pop3Session, Pop3Arguments, ValueTask> RunAsync);
