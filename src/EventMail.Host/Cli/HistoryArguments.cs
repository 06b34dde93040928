using System.CommandLine;
using System.Globalization;
using System.Net;
using EventMail.Host.Composition;
using EventMail.Projections.History;

namespace EventMail.Host.Cli;

/// <summary>What of the log is asked for on the command line.</summary>
internal sealed class HistoryArguments
{
    private readonly Argument<string?> _account = new("ADDRESS") { Arity = ArgumentArity.ZeroOrOne, Description = "An account's log; a closed one's is still there" };
    private readonly Argument<string?> _mailbox = new("MAILBOX") { Arity = ArgumentArity.ZeroOrOne, Description = "Only mailboxes that have or had this name" };
    private readonly Option<string?> _message = new("--message") { HelpName = "ID", Description = "A message's whole life, by Message-ID, IMAP's EMAILID, or SHA-256" };
    private readonly Option<string?> _session = new("--session") { HelpName = "S", Description = "Everything that a session did, in all accounts" };
    private readonly Option<string?> _address = new("--address") { HelpName = "A", Description = "Who sent, received, logged in or acted, here or elsewhere" };
    private readonly Option<string?> _client = new("--client") { HelpName = "IP", Description = "Where the client was: an address, or a prefix such as 192.0.2.0/24" };
    private readonly Option<string?> _protocol = new("--protocol") { HelpName = "P", Description = "imap, pop3, smtp, submission, lmtp, cli" };
    private readonly Option<string[]> _types = new("--type") { HelpName = "T,…", Description = "Only these types of events, as docs/events.md names them", AllowMultipleArgumentsPerToken = false };
    private readonly Option<string?> _since = new("--since") { HelpName = "TIME", Description = "2026-11-01, 2026-11-01T12:00:00Z, or 2h, 3d ago" };
    private readonly Option<string?> _until = new("--until") { HelpName = "TIME", Description = "Before this time" };
    private readonly Option<long> _after = new("--after") { HelpName = "N", Description = "Only behind this position of the log, as the last line of a page says" };

    public void AddTo(Command command)
    {
        command.Add(_account);
        command.Add(_mailbox);
        foreach (var option in (Option[])[_message, _session, _address, _client, _protocol, _types, _since, _until, _after])
            command.Add(option);
    }

    public async Task<HistoryQuery> QueryAsync(CommandRun run, MailStore store, CancellationToken stop)
    {
        var given = run.Arguments;
        var query = new HistoryQuery
        {
            Mailbox = given.GetValue(_mailbox),
            Message = Named(given.GetValue(_message), "--message"),
            Session = Named(given.GetValue(_session), "--session"),
            Address = Named(given.GetValue(_address), "--address"),
            Client = NetworkOf(given.GetValue(_client)),
            Protocol = Named(given.GetValue(_protocol), "--protocol"),
            Types = TypesOf(given.GetValue(_types), store),
            Since = TimeArgument.ParseOrNull(given.GetValue(_since)),
            Until = TimeArgument.ParseOrNull(given.GetValue(_until)),
            After = given.GetValue(_after),
        };
        if (query.After < 0)
            throw new CommandFailedException($"{query.After} is no position of the log: --after takes what the last line of a page says.", ExitCodes.Usage);
        if (query.Until <= query.Since)
            throw new CommandFailedException("--until is not after --since: there is nothing between them.", ExitCodes.Usage);
        if (given.GetValue(_account) is not { } name)
            return query;
        var accounts = await store.History.AccountsAsync(name, stop);
        return accounts.Count > 0
            ? query with { Accounts = accounts }
            : throw new CommandFailedException($"There is and was no account {name}. `eventmail account list` shows all; --address finds those of others.");
    }

    // A script's empty variable must not stand for everything.
    private static string? Named(string? text, string option) =>
        text is { Length: 0 } ? throw new CommandFailedException($"{option} is empty.", ExitCodes.Usage) : text;

    private static List<string>? TypesOf(string[]? given, MailStore store)
    {
        if (given is not { Length: > 0 })
            return null;
        List<string> types = [.. given.SelectMany(text => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];
        if (types.Count == 0)
            throw new CommandFailedException("--type is empty.", ExitCodes.Usage);
        return types.Find(type => !store.Log.Types.Aliases.Contains(type)) is { } unknown
            ? throw new CommandFailedException($"There is no type of event {unknown}. They are: {string.Join(", ", store.Log.Types.Aliases.Order(StringComparer.Ordinal))}.", ExitCodes.Usage)
            : types;
    }

    /// <summary>An address, or a prefix with whatever bits behind it.</summary>
    private static IPNetwork? NetworkOf(string? text)
    {
        if (text is null)
            return null;
        var slash = text.IndexOf('/');
        if (IPAddress.TryParse(slash < 0 ? text : text[..slash], out var address))
        {
            if (address.IsIPv4MappedToIPv6)
                address = address.MapToIPv4();
            var octets = address.GetAddressBytes();
            var length = 8 * octets.Length;
            if (slash < 0 || (int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out length) && length <= 8 * octets.Length))
            {
                for (var i = 0; i < octets.Length; i++)
                    octets[i] &= (byte)(0xFF00 >> Math.Clamp(length - 8 * i, 0, 8));
                return new(new IPAddress(octets), length);
            }
        }
        throw new CommandFailedException($"{text} is no IP address and no prefix; write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/64.", ExitCodes.Usage);
    }
}
