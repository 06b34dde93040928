using System.Text;

namespace EventMail.Projections.Mailboxes;

/// <summary>The header fields that mail programs ask for when they list a mailbox: kept raw in each summary.</summary>
internal static class CachedFields
{
    // Changing this set changes what a stored summary holds: raise MessageSummary.Version with it.
    private static readonly string[] Names =
    [
        "Date", "From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Subject", "Message-ID", "In-Reply-To", "References", "Newsgroups",
        "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "List-Id", "List-Post", "List-Unsubscribe", "Mail-Followup-To",
        "Disposition-Notification-To", "X-Priority", "Priority", "Importance", "X-TUID", "X-Uniform-Type-Identifier",
        "X-Universally-Unique-Identifier",
    ];

    private static readonly byte[][][] ByLength = Index();

    public static bool Contains(ReadOnlySpan<byte> name)
    {
        if (name.Length >= ByLength.Length)
            return false;
        foreach (var known in ByLength[name.Length])
        {
            if (Ascii.EqualsIgnoreCase(name, known))
                return true;
        }
        return false;
    }

    private static byte[][][] Index()
    {
        var index = new byte[Names.Max(n => n.Length) + 1][][];
        for (var length = 0; length < index.Length; length++)
            index[length] = [.. Names.Where(n => n.Length == length).Select(Encoding.ASCII.GetBytes)];
        return index;
    }
}
