using EventMail.Domain;
using EventMail.Host.Logs;
using EventMail.Projections.Restoring;

namespace EventMail.Host.Cli;

/// <summary>
/// Prints what became of each mailbox as it is done, and of a large one how far it is. On the thread that tells it, at once: a Progress&lt;T&gt; would
/// do so on another, and late.
/// </summary>
internal sealed class RestoreTeller(CommandRun run) : IProgress<RestoredMailbox>, IProgress<long>, IDisposable
{
    private Progress? _bar;

    public void Report(long value) => (_bar ??= new("restore", null, count => $"{Amount.Of(count, "message")} back")).Report(value);

    public void Report(RestoredMailbox value)
    {
        Dispose();
        if (run.Arguments.GetValue(ListOutput.Json))
            Console.Out.WriteLine(ListOutput.JsonOf(value));
        else if (!value.IsUnchanged || value.Into is not null || value.Elsewhere + value.Released > 0)
            Console.Out.WriteLine(PlainLines.OnOneLine(LineOf(value)));
    }

    public void Dispose()
    {
        _bar?.Dispose();
        _bar = null;
    }

    internal static string LineOf(RestoredMailbox line)
    {
        if (line.Refused is { } reason)
            return $"{line.Name}: not restored: {reason}";
        string?[] words =
        [
            line.Recreated ? "mailbox back with its UIDs" : null,
            line.Renamed ? "renamed back" : null,
            line.Restored > 0 ? $"{Amount.Of(line.Restored, "message")} back" : null,
            line.Flagged > 0 ? $"flags of {line.Flagged} as before" : null,
            line.Gone ? "mailbox gone" : null,
            line.Removed > 0 ? $"{line.Removed} removed" : null,
            line.Rights > 0 ? $"rights of {line.Rights} as before" : null,
            line.Annotations > 0 ? $"{Amount.Of(line.Annotations, "annotation")} as before" : null,
            line.Elsewhere > 0 ? $"{line.Elsewhere} are in other mailboxes (--moved brings copies back)" : null,
            line.Released > 0 ? $"{line.Released} are not kept any more" : null,
            line.Into is not null ? "another mailbox has its name" : null,
        ];
        var into = line.Into is { } now ? $" (now {now})" : "";
        return $"{line.Name}{into}: {string.Join(", ", words.Where(word => word is not null))}";
    }
}
