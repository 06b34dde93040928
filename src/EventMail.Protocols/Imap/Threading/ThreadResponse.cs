using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Responses;
using EventMail.Protocols.Imap.Sorting;

namespace EventMail.Protocols.Imap.Threading;

/// <summary>Writes "* THREAD (2)(3 6 (4 23)(44 7 96))" (RFC 5256 §4). Threads may be as deep as the mailbox is long: no recursion.</summary>
internal sealed class ThreadResponse(ImapWriter writer, MailboxView view, SortedMessages messages, bool byUid)
{
    private const int ThreadsAtOnce = 64;

    // thread-data = "THREAD" [SP 1*thread-list]
    public async ValueTask WriteAsync(ThreadForest forest)
    {
        writer.InResponse = true;
        writer.Raw("* THREAD"u8);
        for (var i = 0; i < forest.Roots.Length; i++)
        {
            if (i == 0)
                writer.Sp();
            Thread(forest, forest.Roots[i]);
            if ((i + 1) % ThreadsAtOnce == 0 && !await writer.FlushIfFullAsync().ConfigureAwait(false))
                break;
        }

        writer.Crlf();
        writer.InResponse = false;
    }

    // thread-list = "(" (thread-members / thread-nested) ")"
    private void Thread(ThreadForest forest, int root)
    {
        // The sibling that is still to be written, for each open parenthesis that holds siblings.
        var open = new Stack<int>();
        var node = root;
        while (true)
        {
            writer.Byte((byte)'(');
            node = Members(forest, node);
            if (node != ThreadForest.None)
            {
                open.Push(forest.NextSibling(node));
                continue;
            }

            writer.Byte((byte)')');
            while (open.TryPeek(out var sibling) && sibling == ThreadForest.None)
            {
                open.Pop();
                writer.Byte((byte)')');
            }

            if (!open.TryPop(out node))
                return;
            open.Push(forest.NextSibling(node));
        }
    }

    // thread-members = nz-number *(SP nz-number) [SP thread-nested]; the first of those that nest, if there are any.
    private int Members(ThreadForest forest, int node)
    {
        while (true)
        {
            var isDummy = node >= messages.Count;
            if (!isDummy)
                Number(messages.Numbers[node]);
            node = forest.FirstChild(node);
            if (node == ThreadForest.None)
                return node;
            if (!isDummy)
                writer.Sp();
            if (forest.NextSibling(node) != ThreadForest.None)
                return node;
        }
    }

    private void Number(uint number) => writer.Number(byUid ? view[(int)number - 1].Uid : number);
}
