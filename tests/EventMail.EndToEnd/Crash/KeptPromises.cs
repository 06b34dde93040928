using System.Globalization;
using EventMail.Testing;

namespace EventMail.EndToEnd.Crash;

/// <summary>What the clients of a ledger were promised, held against what is there.</summary>
internal static class KeptPromises
{
    public static async Task CheckAsync(TestServer server, string account, CrashLedger ledger)
    {
        await using var imap = await ImapClient.LoginAsync(server["imap"], account);
        var messages = await imap.FetchAllAsync("INBOX");
        var flagged = (await imap.RunAsync("UID SEARCH FLAGGED"))
            .Where(line => line.StartsWith("* SEARCH", StringComparison.Ordinal))
            .SelectMany(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(2))
            .Select(uid => uint.Parse(uid, CultureInfo.InvariantCulture)).ToHashSet();
        var byName = messages.ToLookup(message => SubjectOf(message.Value), message => message.Key);
        byName.Where(uids => uids.Count() > 1).ShouldBeEmpty("delivered twice");
        foreach (var (name, promise) in ledger.Messages.Where(message => message.Key.StartsWith(account + "-", StringComparison.Ordinal)))
        {
            var found = byName.Contains(name);
            switch (promise.Removal)
            {
                case CrashLedger.Removal.None when promise.Delivered:
                    found.ShouldBeTrue($"{name} had its 250");
                    break;
                case CrashLedger.Removal.Done:
                    found.ShouldBeFalse($"the removal of {name} was answered +OK");
                    break;
            }

            if (found && promise.Flagged)
            {
                flagged.ShouldContain(byName[name].Single(), $"the STORE on {name} was answered OK");
            }
        }
    }

    private static string SubjectOf(string message) =>
        message.Split("\r\n").First(line => line.StartsWith("Subject: ", StringComparison.Ordinal))["Subject: ".Length..];
}
