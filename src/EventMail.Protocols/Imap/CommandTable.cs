using System.Text;
using EventMail.Protocols.Imap.Commands;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap;

/// <summary>RFC 3501 §3.</summary>
[Flags]
internal enum States : byte
{
    NotAuthenticated = 1,
    Authenticated = 2,
    Selected = 4,

    LoggedIn = Authenticated | Selected,
    Any = NotAuthenticated | LoggedIn,
}

/// <summary>What the client is told of the selected mailbox before the tagged reply.</summary>
internal enum Sync : byte
{
    /// <summary>Nothing: the command has just told it all, or there is nothing to tell.</summary>
    None,

    /// <summary>RFC 3501 §7.4.1: no EXPUNGE in FETCH, STORE and SEARCH, whose numbers it would shift.</summary>
    WithoutExpunges,

    Everything,
}

internal enum Literals : byte
{
    /// <summary>Read into the command, which runs when it is complete.</summary>
    Inline,

    /// <summary>The command reads its own (APPEND's message streams).</summary>
    Own,
}

internal delegate ValueTask<Reply> CommandHandler(ImapSession session, ImapCommand command);

/// <param name="Name">In capitals; UID and its command are one name.</param>
internal sealed record Verb(string Name, States In, CommandHandler Run)
{
    public Sync Sync { get; init; } = Sync.Everything;

    public Literals Literals { get; init; }

    /// <summary>What is new is told first, so that the command finds it too: for clients that search without a NOOP before.</summary>
    public bool Fresh { get; init; }

    /// <summary>Its arguments are credentials: not traced, wiped from memory.</summary>
    public bool Secret { get; init; }

    /// <summary>Its literals may be literal8 (RFC 4466 §6): it looks for NULs itself.</summary>
    public bool Binary { get; init; }

    /// <summary>What is answered when a literal is larger than the session takes; null for BAD [TOOBIG].</summary>
    public Reply? TooLarge { get; init; }

    /// <summary>It may run while <see cref="PendingReplies"/> are to come: it does nothing that they could change the meaning of.</summary>
    public bool Overlaps { get; init; }

    /// <summary>It counts towards the rate of commands. Not what can only be answered with OK, and ends what is limited.</summary>
    public bool Limited { get; init; } = true;

    /// <summary>It goes by UIDs.</summary>
    public bool ByUid => Name.StartsWith("UID ", StringComparison.Ordinal);
}

/// <summary>Every command of the server: a new extension is a new row.</summary>
internal static class CommandTable
{
    private const int LongestName = 16;

    private static readonly Verb[] All =
    [
        // RFC 3501 §6.1
        new("CAPABILITY", States.Any, Capability.RunAsync),
        new("NOOP", States.Any, Noop.RunAsync),
        new("LOGOUT", States.Any, Logout.RunAsync) { Sync = Sync.None, Limited = false },
        // RFC 2971
        new("ID", States.Any, Id.RunAsync),

        // RFC 3501 §6.2
        new("STARTTLS", States.NotAuthenticated, StartTls.RunAsync),
        new("AUTHENTICATE", States.NotAuthenticated, Authenticate.RunAsync) { Secret = true },
        new("LOGIN", States.NotAuthenticated, Login.RunAsync) { Secret = true },

        // RFC 3501 §6.3
        new("SELECT", States.LoggedIn, Select.RunAsync) { Sync = Sync.None },
        new("EXAMINE", States.LoggedIn, Select.RunAsync) { Sync = Sync.None },
        new("CREATE", States.LoggedIn, Create.RunAsync),
        new("DELETE", States.LoggedIn, Delete.RunAsync),
        new("RENAME", States.LoggedIn, Rename.RunAsync),
        new("SUBSCRIBE", States.LoggedIn, Subscribe.RunAsync),
        new("UNSUBSCRIBE", States.LoggedIn, Subscribe.RunAsync),
        new("LIST", States.LoggedIn, List.RunAsync),
        new("LSUB", States.LoggedIn, Lsub.RunAsync),
        new("STATUS", States.LoggedIn, Status.RunAsync),
        new("APPEND", States.LoggedIn, Append.RunAsync) { Literals = Literals.Own, Overlaps = true },
        // RFC 2342, RFC 5161, RFC 2177
        new("NAMESPACE", States.LoggedIn, Namespace.RunAsync),
        new("ENABLE", States.LoggedIn, Enable.RunAsync),
        new("IDLE", States.LoggedIn, Idle.RunAsync),
        // RFC 5465
        new("NOTIFY", States.LoggedIn, Notify.RunAsync) { Sync = Sync.None },
        // RFC 4978
        new("COMPRESS", States.LoggedIn, Compress.RunAsync),
        // RFC 8437 §4: OK or BAD; what the client sends behind it is for somebody who has not logged in.
        new("UNAUTHENTICATE", States.LoggedIn, Unauthenticate.RunAsync) { Sync = Sync.None, Limited = false },

        // RFC 4314 §3
        new("SETACL", States.LoggedIn, SetAcl.RunAsync),
        new("DELETEACL", States.LoggedIn, SetAcl.RunAsync),
        new("GETACL", States.LoggedIn, GetAcl.RunAsync),
        new("LISTRIGHTS", States.LoggedIn, ListRights.RunAsync),
        new("MYRIGHTS", States.LoggedIn, MyRights.RunAsync),
        // RFC 9208
        new("GETQUOTA", States.LoggedIn, GetQuota.RunAsync),
        new("GETQUOTAROOT", States.LoggedIn, GetQuotaRoot.RunAsync),
        new("SETQUOTA", States.LoggedIn, SetQuota.RunAsync),
        // RFC 5464
        new("GETMETADATA", States.LoggedIn, GetMetadata.RunAsync),
        new("SETMETADATA", States.LoggedIn, SetMetadata.RunAsync) { Binary = true, TooLarge = SetMetadata.TooLarge },

        // RFC 3501 §6.4
        new("CHECK", States.Selected, Noop.RunAsync),
        new("CLOSE", States.Selected, Close.RunAsync) { Sync = Sync.None },
        new("EXPUNGE", States.Selected, Expunge.RunAsync),
        new("SEARCH", States.Selected, Search.RunAsync) { Sync = Sync.WithoutExpunges, Fresh = true },
        new("FETCH", States.Selected, Fetch.RunAsync) { Sync = Sync.WithoutExpunges },
        new("STORE", States.Selected, Store.RunAsync) { Sync = Sync.WithoutExpunges },
        new("COPY", States.Selected, Copy.RunAsync),
        new("SORT", States.Selected, Sort.RunAsync) { Sync = Sync.WithoutExpunges, Fresh = true },
        new("THREAD", States.Selected, Commands.Thread.RunAsync) { Sync = Sync.WithoutExpunges, Fresh = true },
        new("UID SORT", States.Selected, Sort.RunAsync) { Fresh = true },
        new("UID THREAD", States.Selected, Commands.Thread.RunAsync) { Fresh = true },
        new("UID SEARCH", States.Selected, Search.RunAsync) { Fresh = true },
        // RFC 7377, RFC 5267
        new("ESEARCH", States.LoggedIn, Esearch.RunAsync) { Fresh = true },
        new("CANCELUPDATE", States.Selected, CancelUpdate.RunAsync),
        new("UID FETCH", States.Selected, Fetch.RunAsync) { Fresh = true },
        new("UID STORE", States.Selected, Store.RunAsync),
        new("UID COPY", States.Selected, Copy.RunAsync),
        // RFC 3691, RFC 4315, RFC 6851
        new("UNSELECT", States.Selected, Close.RunAsync) { Sync = Sync.None },
        new("UID EXPUNGE", States.Selected, Expunge.RunAsync),
        new("MOVE", States.Selected, Copy.RunAsync),
        new("UID MOVE", States.Selected, Copy.RunAsync),
        // RFC 8508
        new("REPLACE", States.Selected, Replace.RunAsync) { Literals = Literals.Own },
        new("UID REPLACE", States.Selected, Replace.RunAsync) { Literals = Literals.Own },
    ];

    // RFC 9586 §3.2: what goes by sequence numbers, and answers with them.
    private static readonly HashSet<string> ByNumber =
        new(["FETCH", "STORE", "SEARCH", "COPY", "MOVE", "REPLACE", "SORT", "THREAD"], StringComparer.Ordinal);

    /// <summary>Not for a client that has enabled UIDONLY.</summary>
    public static bool NeedsNumbers(Verb verb) => ByNumber.Contains(verb.Name);

    private static readonly Dictionary<string, Verb>.AlternateLookup<ReadOnlySpan<char>> ByName =
        All.ToDictionary(verb => verb.Name).GetAlternateLookup<ReadOnlySpan<char>>();

    public static IReadOnlyList<Verb> Verbs => All;

    /// <param name="name">In any case.</param>
    /// <param name="prefix">"UID " or nothing.</param>
    public static Verb? Find(ReadOnlySpan<byte> name, string prefix)
    {
        if (prefix.Length + name.Length > LongestName)
            return null;
        Span<char> key = stackalloc char[LongestName];
        prefix.CopyTo(key);
        return Ascii.ToUpper(name, key[prefix.Length..], out var length) == System.Buffers.OperationStatus.Done
            && ByName.TryGetValue(key[..(prefix.Length + length)], out var verb) ? verb : null;
    }
}
