using System.CommandLine;
using System.Globalization;
using EventMail.EventStore;
using EventMail.Host.Composition;
using Command = System.CommandLine.Command;

namespace EventMail.Host.Cli;

/// <summary>The keys that encrypt what is stored.</summary>
internal static class KeysCommand
{
    public static Command Create() => new("keys", "The keys that encrypt what is stored; their files must be kept apart from the database.") { Status(), Encrypt() };

    private static Command Status()
    {
        var all = new Option<bool>("--all") { Description = "Every wrapping key, not only those at fault" };
        var command = new Command("status", "Says whether every wrapping key that the database needs is there and whole. Fails when one is not.") { all, ListOutput.Json };
        CommandLine.SetAction(command, async (run, stop) =>
        {
            await using var database = await HostDatabase.AttachAsync(run.Settings, run.Logs, stop);
            await using var store = await MailStore.OpenAsync(run.Settings, database, run.Logs, stop);
            var inventory = new KeyInventory(store.Log);
            var (keys, contents, subjects, faulty, lost, lostSubjects) = (0L, 0L, 0L, 0L, 0L, 0L);
            await ListOutput.WriteAsync(run, ListedAsync(), ["FILE", "MADE", "CONTENTS", "SUBJECTS", "STATE"], key => [key.File, Time(key.Made), Text(key.Contents), Text(key.Subjects), key.Fault ?? "ok"]);
            var plain = await inventory.PlainAsync(stop);
            if (!run.Arguments.GetValue(ListOutput.Json))
            {
                await Console.Out.WriteLineAsync($"{Text(contents)} contents are encrypted, and events of {Text(subjects)} accounts and days sealed, by {Text(keys)} wrapping keys in {store.Log.Keys.Folder}");
                if (plain.Rows + plain.Files > 0)
                    await Console.Out.WriteLineAsync($"{Text(plain.Rows)} rows and {Text(plain.Files)} files are plain; `eventmail keys encrypt` encrypts them");
            }
            if (faulty == 0)
                return ExitCodes.Done;
            throw new CommandFailedException(
                $"{Text(faulty)} wrapping keys of {Text(keys)} cannot be used, and {Text(lost)} contents and the events of {Text(lostSubjects)} accounts and days cannot be read without them. Restore the folder {store.Log.Keys.Folder} from its backup.");

            async IAsyncEnumerable<WrappingKeyUse> ListedAsync()
            {
                await foreach (var key in inventory.UsesAsync(stop))
                {
                    (keys, contents, subjects) = (keys + 1, contents + key.Contents, subjects + key.Subjects);
                    if (key.Fault is not null)
                        (faulty, lost, lostSubjects) = (faulty + 1, lost + key.Contents, lostSubjects + key.Subjects);
                    if (key.Fault is not null || run.Arguments.GetValue(all) || run.Arguments.GetValue(ListOutput.Json))
                        yield return key;
                }
            }
        });
        return command;
    }

    private static Command Encrypt()
    {
        var command = new Command("encrypt", "Encrypts what was stored plain, while mail flows. It may be stopped and goes on where it was.");
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            if (!run.Settings.Keys.EncryptContents)
                throw new CommandFailedException("Keys:EncryptContents is false: new mail would be stored plain all the same. Turn it on first.", ExitCodes.Usage);
            var plain = await new KeyInventory(store.Log).PlainAsync(stop);
            var work = new PlainContents(store.Log);
            var done = 0L;
            using (var progress = new Progress("encrypting", plain.Rows + plain.Files, Text))
                await foreach (var count in work.EncryptAsync(stop))
                    progress.Report(done = count);
            await Console.Out.WriteLineAsync($"{Text(done - work.Damaged.Count)} contents encrypted");
            if (plain.Files > 0)
                await Console.Out.WriteLineAsync("the server deletes the plain files within two hours");
            if (work.Damaged.Count > 0)
                throw new CommandFailedException(
                    $"{Text(work.Damaged.Count)} contents are left as they are, since they are damaged already: {string.Join(", ", work.Damaged.Take(20))}.");
        });
        return command;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
