using System.CommandLine;
using System.Globalization;
using EventMail.Domain;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Projections.Accounts;

namespace EventMail.Host.Cli;

internal static class AccountCommand
{
    public static Command Create() => new("account", "Accounts: who has mail here.")
    {
        Add(), List(), Show(), SetPassword(), SetQuota(),
        Change("suspend", "Refuses logins (and mail for it, for now) until it is resumed.", "suspended",
            (store, address, stop) => store.Accounts.SuspendAsync(address, null, StoreCommand.Operator, stop)),
        Change("resume", "Ends a suspension.", "resumed",
            (store, address, stop) => store.Accounts.ResumeAsync(address, StoreCommand.Operator, stop)),
        Change("remove", "Closes an account and deletes its mailboxes. Its address is free again; its log stays, and `restore` brings it back.", "removed",
            (store, address, stop) => store.Accounts.CloseAsync(address, StoreCommand.Operator, stop)),
        EnableApop(),
        Change("disable-apop", "Forgets the recoverable copy of the password: no APOP and CRAM-MD5 for this account.", "without APOP and CRAM-MD5",
            (store, address, stop) => store.Accounts.DisableRecoverableAsync(address, StoreCommand.Operator, stop)),
        SendAsCommand.Create(),
        SaveSent(),
        AuditReads(),
        AccountMoveCommand.Create(),
    };

    private static Command Add()
    {
        var address = new Argument<string?>("ADDRESS") { Arity = ArgumentArity.ZeroOrOne, Description = "user@example.org; leave it out with --file" };
        var quota = new Option<string?>("--quota") { HelpName = "SIZE", Description = "How much mail it may keep, for example 1GB" };
        var file = new Option<string?>("--file") { HelpName = "FILE", Description = "Many at once: lines of an address, a space and a password; - for standard input" };
        var command = new Command("add", "Opens an account; its mail domain is added with it. Without a password one is made and printed once.")
        {
            address, PasswordInput.Given, PasswordInput.FromStdin, quota, file,
        };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var limit = SizeOf(run.Arguments.GetValue(quota));
            if (run.Arguments.GetValue(file) is { } list)
            {
                await AddAllAsync(store, list, limit, stop);
                return;
            }

            var name = run.Arguments.GetValue(address)
                ?? throw new CommandFailedException("Name the account: eventmail account add user@example.org.", ExitCodes.Usage);
            var given = await PasswordInput.ReadAsync(run.Arguments);
            var password = given ?? AppPasswords.NewPassword();
            var opened = (await store.Accounts.AddAsync(name, password, limit, StoreCommand.Operator, stop)).OrFail(name);
            if (opened.DomainAdded)
                await Console.Out.WriteLineAsync($"mail domain {opened.Account.Address.Split('@')[1]} added");
            await Console.Out.WriteLineAsync(
                $"account {opened.Account.Address} added" + (given is null ? $", password {password}" : ""));
        });
        return command;
    }

    private static async Task AddAllAsync(MailStore store, string file, long? limit, CancellationToken stop)
    {
        using var lines = file == "-" ? Console.In : new StreamReader(file);
        var added = 0;
        for (var number = 1; await lines.ReadLineAsync(stop) is { } line; number++)
        {
            if (line.Trim().Length == 0 || line.StartsWith('#'))
                continue;
            var space = line.IndexOf(' ');
            if (space <= 0)
                throw new CommandFailedException($"Line {number} has no password: write `user@example.org password`. Added before it: {Amount.Of(added, "account")}.");
            (await store.Accounts.AddAsync(line[..space], line[(space + 1)..], limit, StoreCommand.Operator, stop))
                .OrFail($"Line {number}, {line[..space]} (added before it: {Amount.Of(added, "account")})");
            if (++added % 100 == 0)
                await Console.Error.WriteLineAsync($"{Amount.Of(added, "account")}…");
        }

        await Console.Out.WriteLineAsync($"{Amount.Of(added, "account")} added");
    }

    private static Command List()
    {
        var command = new Command("list", "Prints all accounts.") { ListOutput.Json };
        StoreCommand.SetAction(command, (store, run, stop) => ListOutput.WriteAsync(
            run, store.Queries.AccountsAsync(stop),
            ["ADDRESS", "STATE", "QUOTA", "LAST LOGIN"],
            account => [account.Address, StateOf(account), Kept(account.QuotaLimit, account.MessageLimit), LastLogin(account)]));
        return command;
    }

    private static Command Show()
    {
        var address = Address();
        var command = new Command("show", "Prints what is known of an account.") { address, ListOutput.Json };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var name = Named(run, address);
            var found = await store.Directory.FindAsync(name, stop) ?? throw new CommandFailedException($"There is no account {name}.");
            var listing = (await store.Queries.AccountAsync(found.Account, stop))!;
            var usage = await store.Directory.UsageAsync(found.Account, stop);
            var mailboxes = await store.Mailboxes.ListAsync(found.Account, stop);
            if (run.Arguments.GetValue(ListOutput.Json))
            {
                await ListOutput.WriteJsonAsync(new { Listing = listing, usage.Used, usage.Messages, Mailboxes = mailboxes.Select(m => new { m.Name, m.Messages, m.Unseen, m.Bytes }) });
                return;
            }

            await Console.Out.WriteLineAsync($"""
                address     {listing.Address}
                id          {listing.Account}
                state       {StateOf(listing)}
                opened      {listing.Opened:yyyy-MM-dd HH:mm:ss}Z
                last login  {LastLogin(listing)}
                mail        {Size(usage.Used)} of {Size(listing.QuotaLimit)}
                messages    {usage.Messages}{(listing.MessageLimit is { } most ? $" of {most}" : "")}
                sent mail   {(found.SaveSent ? "saved by the server" : "saved by its clients")}
                """);
            foreach (var sender in found.SendAs)
                await Console.Out.WriteLineAsync($"may send as {sender}");
            foreach (var mailbox in mailboxes)
                await Console.Out.WriteLineAsync($"mailbox     {mailbox.Name}: {Amount.Of(mailbox.Messages, "message")}, {mailbox.Unseen} unseen, {Size(mailbox.Bytes)}");
        });
        return command;
    }

    private static Command SetPassword()
    {
        var address = Address();
        var command = new Command("password", "Sets a new password; without one it is made and printed once. What the old one proved is void at once.")
        {
            address, PasswordInput.Given, PasswordInput.FromStdin,
        };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var name = Named(run, address);
            var given = await PasswordInput.ReadAsync(run.Arguments);
            var password = given ?? AppPasswords.NewPassword();
            var account = (await store.Accounts.SetPasswordAsync(name, password, StoreCommand.Operator, stop)).OrFail(name);
            await Console.Out.WriteLineAsync(
                $"account {account.Address} has a new password" + (given is null ? $": {password}" : ""));
        });
        return command;
    }

    private static Command SetQuota()
    {
        var address = Address();
        var size = new Argument<string?>("SIZE") { Arity = ArgumentArity.ZeroOrOne, Description = "For example 1GB" };
        var messages = new Option<string?>("--messages") { HelpName = "NUMBER", Description = "How many messages at most; none for no such limit" };
        var verify = new Option<bool>("--verify") { Description = "Computes how much mail it has from the log, and puts the total right if it is wrong" };
        var command = new Command("quota", "Sets how much mail an account may keep, or verifies how much it has.") { address, size, messages, verify };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var name = Named(run, address);
            var (bytes, most) = (SizeOf(run.Arguments.GetValue(size)), run.Arguments.GetValue(messages));
            if (bytes is null && most is null && !run.Arguments.GetValue(verify))
                throw new CommandFailedException("Give a size, such as 1GB, --messages NUMBER or --verify.", ExitCodes.Usage);
            if (bytes is not null || most is not null)
                await SetQuotaAsync(store, name, bytes, most, stop);
            if (run.Arguments.GetValue(verify))
                await VerifyAsync(store, name, stop);
        });
        return command;
    }

    private static async Task SetQuotaAsync(MailStore store, string name, long? bytes, string? most, CancellationToken stop)
    {
        var limit = most is null or "none" ? default(long?) : NumberOf(most);
        var account = (await store.Accounts.SetQuotaAsync(
            name, now => new(bytes ?? now.Bytes, most is null ? now.Messages : limit), StoreCommand.Operator, stop)).OrFail(name);
        await Console.Out.WriteLineAsync($"account {account.Address} may keep {Kept(account.QuotaLimit, account.MessageLimit)}");
    }

    private static async Task VerifyAsync(MailStore store, string name, CancellationToken stop)
    {
        var found = await store.Directory.FindAsync(name, stop) ?? throw new CommandFailedException($"There is no account {name}.");
        var verified = (await store.QuotaAudit.VerifyAsync(found.Account, StoreCommand.Operator, stop)).OrFail(name);
        var has = $"account {found.Address} has {Kept(verified.Bytes, verified.Messages)}";
        await Console.Out.WriteLineAsync(verified.IsRight
            ? $"{has}, as was kept"
            : $"{has}; the total that was kept, {Kept(verified.KeptBytes, verified.KeptMessages)}, was wrong and has been put right");
    }

    private static long NumberOf(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new CommandFailedException($"{text} is no number of messages; write none for no limit.", ExitCodes.Usage);

    private static string Kept(long bytes, long? messages) => Size(bytes) + (messages is { } most ? $", {Amount.Of(most, "message")}" : "");

    private static Command EnableApop()
    {
        var address = Address();
        var command = new Command("enable-apop", "Keeps the password in a form that can be recovered, which APOP and CRAM-MD5 need. Asks for the password, since nobody knows it.")
        {
            address, PasswordInput.Given, PasswordInput.FromStdin,
        };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var name = Named(run, address);
            var password = await PasswordInput.ReadAsync(run.Arguments) ?? throw new CommandFailedException(
                "The account's password is needed: --password-stdin or --password.", ExitCodes.Usage);
            var account = (await store.Accounts.EnableRecoverableAsync(name, password, StoreCommand.Operator, stop)).OrFail(name);
            await Console.Out.WriteLineAsync($"account {account.Address} may use APOP and CRAM-MD5");
        });
        return command;
    }

    private static Command SaveSent()
    {
        var address = Address();
        var state = new Argument<string>("on|off") { Description = "off: clients save what they send themselves, as most do" };
        state.AcceptOnlyFromAmong("on", "off");
        var command = new Command("save-sent", "Whether the server keeps a copy of what the account submits in its Sent mailbox.") { address, state };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var name = Named(run, address);
            var enabled = run.Arguments.GetValue(state) == "on";
            var account = (await store.Accounts.SetSaveSentAsync(name, enabled, StoreCommand.Operator, stop)).OrFail(name);
            await Console.Out.WriteLineAsync($"account {account.Address}: what it sends is {(enabled ? "saved by the server" : "its client's to save")}");
        });
        return command;
    }

    private static Command AuditReads()
    {
        var address = Address();
        var state = new Argument<string>("on|off") { Description = "on: from now on the log says which messages were read, by whom and in which session" };
        state.AcceptOnlyFromAmong("on", "off");
        var reason = new Option<string?>("--reason") { HelpName = "TEXT", Description = "For the log" };
        var command = new Command("audit-reads", "Whether reads of the account's mail, and what it reads of others', are events. Its clients are not told.") { address, state, reason };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var name = Named(run, address);
            var enabled = run.Arguments.GetValue(state) == "on";
            var account = (await store.Accounts.SetAuditReadsAsync(name, enabled, run.Arguments.GetValue(reason), StoreCommand.Operator, stop)).OrFail(name);
            await Console.Out.WriteLineAsync($"account {account.Address}: reads {(enabled ? "become events" : "leave no trace")}");
        });
        return command;
    }

    private static Command Change(
        string name, string description, string done,
        Func<MailStore, string, CancellationToken, Task<Domain.Result<AccountEntry>>> change)
    {
        var address = Address();
        var command = new Command(name, description) { address };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var name = Named(run, address);
            var account = (await change(store, name, stop)).OrFail(name);
            await Console.Out.WriteLineAsync($"account {account.Address} {done}");
        });
        return command;
    }

    internal static Argument<string> Address() => new("ADDRESS") { Description = "user@example.org" };

    // A script's empty variable must not name anybody, least of all the administrator.
    internal static string Named(CommandRun run, Argument<string> address) =>
        run.Arguments.GetValue(address) is { } name && name.LastIndexOf('@') > 0
            ? name
            : throw new CommandFailedException(
                $"'{run.Arguments.GetValue(address)}' is no address: write it in full, user@example.org.", ExitCodes.Usage);

    private static long? SizeOf(string? text) =>
        text is null ? null
        : Units.TryParseSize(text, out var bytes) ? bytes
        : throw new CommandFailedException($"{text} is no size; write 500MB, 1GB or a number of bytes.", ExitCodes.Usage);

    private static string StateOf(AccountListing account) =>
        (account.MovedTo is { } there ? $"moved to {there}" : account.ReadOnly ?? (account.Suspended ? "suspended" : "active")) + (account.Administrator ? ", administrator" : "") + (account.RecoverableSecret ? ", apop" : "") + (account.AuditReads ? ", reads audited" : "");

    private static string LastLogin(AccountListing account) =>
        account.LastLogin is { } at ? $"{at:yyyy-MM-dd HH:mm:ss}Z by {account.LastProtocol} from {account.LastClient}" : "never";

    private static string Size(long bytes) => ListOutput.Size(bytes);
}
