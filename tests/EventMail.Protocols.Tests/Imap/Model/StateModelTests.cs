using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Imap.Model;

/// <summary>
/// Random commands from several sessions on two mailboxes, against the server and against <see cref="ModelMailbox"/>. After each
/// step every answer must fit what its client was told before; at every NOOP a client must know the mailbox as it is.
/// </summary>
public sealed class StateModelTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    private static readonly string[] Flags = ["\\Seen", "\\Flagged", "\\Deleted", "\\Answered", "Work"];

    // Seeds that found something stay here.
    [Theory]
    [InlineData(1, 300)]
    [InlineData(2, 300)]
    [InlineData(3, 300)]
    [InlineData(4, 300)]
    public async Task Several_sessions_agree_with_the_model(int seed, int steps)
    {
        var account = await fixture.NewAccountAsync();
        var run = new Run(new(seed));
        try
        {
            for (var i = 0; i < 3; i++)
                await run.AddAsync(await fixture.LogInAsync(account), ((char)('a' + i)).ToString());
            for (var step = 0; step < steps; step++)
                await run.StepAsync();
            await run.FinishAsync();
        }
        finally
        {
            await run.DisposeAsync();
        }
    }

    private sealed class Run(Random random) : IAsyncDisposable
    {
        private readonly List<ModelClient> _clients = [];
        private readonly Dictionary<string, ModelMailbox> _mailboxes =
            new ModelMailbox[] { new("INBOX"), new("Archive") }.ToDictionary(mailbox => mailbox.Name);

        public async Task AddAsync(ScriptedClient connection, string name)
        {
            var client = new ModelClient(connection, name);
            _clients.Add(client);
            await client.SelectAsync("INBOX");
        }

        public async Task StepAsync()
        {
            var client = _clients[random.Next(_clients.Count)];
            if (client.Idling)
            {
                await client.StopIdleAsync();
                await CheckAsync(client);
                return;
            }

            switch (random.Next(14))
            {
                case 0 or 1 or 2:
                    await AppendAsync(client);
                    break;
                case 3 or 4 or 5:
                    await StoreAsync(client);
                    break;
                case 6:
                    await OkAsync(client, "EXPUNGE");
                    _mailboxes[client.Mailbox!].Expunge(null);
                    await CheckAsync(client);
                    break;
                case 7:
                    await UidExpungeAsync(client);
                    break;
                case 8 or 9:
                    await CopyAsync(client);
                    break;
                case 10:
                    await SearchAsync(client);
                    break;
                case 11:
                    await CheckAsync(client);
                    break;
                case 12:
                    await client.StartIdleAsync();
                    break;
                case 13 when random.Next(4) == 0:
                    await client.SelectAsync(random.Next(2) == 0 ? "INBOX" : "Archive");
                    await CheckAsync(client);
                    break;
                default:
                    await OkAsync(client, "FETCH 1:* (UID FLAGS)");
                    break;
            }
        }

        public async Task FinishAsync()
        {
            foreach (var client in _clients)
            {
                if (client.Idling)
                    await client.StopIdleAsync();
                await CheckAsync(client);
            }
        }

        private async Task CheckAsync(ModelClient client)
        {
            await OkAsync(client, "NOOP");
            var truth = _mailboxes[client.Mailbox!].Messages;
            if (client.Messages.Count != truth.Count)
                throw client.Failure($"it knows {client.Messages.Count} messages of {truth.Count}");
            // What it was told without asking must be right already; what it was not told it asks for.
            Compare(client, truth);
            await OkAsync(client, "FETCH 1:* (UID FLAGS)");
            Compare(client, truth);
            if (client.Messages.Exists(message => message.Uid is null || message.Flags is null))
                throw client.Failure("FETCH left something out");
        }

        private static void Compare(ModelClient client, SortedDictionary<uint, SortedSet<string>> truth)
        {
            foreach (var (known, (uid, flags)) in client.Messages.Zip(truth))
            {
                if (known.Uid is { } told && told != uid)
                    throw client.Failure($"it knows {told} where {uid} is");
                if (known.Flags is { } toldFlags && !toldFlags.SetEquals(flags))
                    throw client.Failure($"it knows {uid} as ({string.Join(' ', toldFlags)}), it is ({string.Join(' ', flags)})");
            }
        }

        private async Task AppendAsync(ModelClient client)
        {
            var mailbox = _mailboxes.Values.ElementAt(random.Next(2));
            var flags = SomeFlags();
            await OkAsync(client, $"APPEND {mailbox.Name} ({string.Join(' ', flags)}) {{10+}}\r\na: {random.Next(10)}\r\n\r\nx\r\n\r\n"[..^2]);
            mailbox.Add(flags);
        }

        private async Task StoreAsync(ModelClient client)
        {
            if (Choose(client) is not { } chosen)
                return;
            var mode = "+-="[random.Next(3)];
            var flags = SomeFlags();
            var silent = random.Next(2) == 0 ? ".SILENT" : "";
            await OkAsync(client, $"{chosen.Prefix}STORE {chosen.Set} {(mode == '=' ? "" : mode.ToString())}FLAGS{silent} ({string.Join(' ', flags)})");
            var mailbox = _mailboxes[client.Mailbox!];
            mailbox.Store(chosen.Uids, mode, flags);
            // RFC 3501 §6.4.6: with .SILENT the client knows the result by itself, unless it is told of more.
            foreach (var known in client.Messages.Where(known => known.Uid is { } uid && chosen.Uids.Contains(uid) && silent.Length > 0))
                known.Flags = mailbox.Messages.TryGetValue(known.Uid!.Value, out var now) ? Told(known, now, mode, flags) : known.Flags;
        }

        private static SortedSet<string>? Told(ModelClient.Known known, SortedSet<string> now, char mode, string[] flags)
        {
            if (known.Flags is null)
                return null;
            var expected = new SortedSet<string>(mode == '=' ? [] : known.Flags, StringComparer.Ordinal);
            foreach (var flag in flags)
                _ = mode == '-' ? expected.Remove(flag) : expected.Add(flag);
            // Told of more: what it heard stands.
            return known.Flags.SetEquals(now) ? known.Flags : expected;
        }

        private async Task UidExpungeAsync(ModelClient client)
        {
            if (Choose(client, byUid: true) is not { } chosen)
                return;
            await OkAsync(client, $"UID EXPUNGE {chosen.Set}");
            _mailboxes[client.Mailbox!].Expunge(chosen.Uids);
            await CheckAsync(client);
        }

        private async Task CopyAsync(ModelClient client)
        {
            if (Choose(client) is not { } chosen)
                return;
            var source = _mailboxes[client.Mailbox!];
            var destination = _mailboxes.Values.ElementAt(random.Next(2));
            var move = random.Next(2) == 0;
            var answer = await client.RunAsync($"{chosen.Prefix}{(move ? "MOVE" : "COPY")} {chosen.Set} {destination.Name}");
            var there = chosen.Uids.Where(source.Messages.ContainsKey).Order().ToList();
            if (chosen.Prefix.Length == 0 && there.Count < chosen.Uids.Count)
            {
                if (answer is not { Status: "NO", Code: "EXPUNGEISSUED" })
                    throw client.Failure($"copied what is gone: {answer}");
                return;
            }

            if (answer.Status != "OK")
                throw client.Failure($"{answer}");
            foreach (var uid in there)
            {
                destination.Add(source.Messages[uid]);
                if (move)
                    source.Messages.Remove(uid);
            }
        }

        private async Task SearchAsync(ModelClient client)
        {
            await CheckAsync(client);
            var flag = random.Next(2) == 0 ? ("SEEN", "\\Seen") : ("DELETED", "\\Deleted");
            var answer = await client.RunAsync($"SEARCH {flag.Item1}");
            var expected = client.Messages.Select((message, i) => (message, i)).Where(m => m.message.Flags!.Contains(flag.Item2)).Select(m => $" {m.i + 1}");
            var found = answer.Untagged.Single(line => line.StartsWith("* SEARCH", StringComparison.Ordinal));
            if (found != "* SEARCH" + string.Concat(expected))
                throw client.Failure($"expected {string.Concat(expected)}, got {found}");
        }

        private sealed record Chosen(string Prefix, string Set, HashSet<uint> Uids);

        // Some messages that the client knows the UIDs of, named one way or the other.
        private Chosen? Choose(ModelClient client, bool? byUid = null)
        {
            var known = client.Messages.Select((message, i) => (message.Uid, Number: i + 1)).Where(m => m.Uid is not null).ToList();
            if (known.Count == 0)
                return null;
            var some = known.Where(_ => random.Next(3) == 0).ToList();
            if (some.Count == 0)
                some = [known[random.Next(known.Count)]];
            var uid = byUid ?? random.Next(2) == 0;
            return new(uid ? "UID " : "", string.Join(',', some.Select(m => uid ? m.Uid.ToString() : m.Number.ToString())), [.. some.Select(m => m.Uid!.Value)]);
        }

        private string[] SomeFlags() => [.. Flags.Where(_ => random.Next(3) == 0)];

        private static async Task OkAsync(ModelClient client, string command)
        {
            var answer = await client.RunAsync(command);
            if (answer.Status != "OK")
                throw client.Failure($"{command}: {answer}");
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var client in _clients)
                await client.DisposeAsync();
        }
    }
}
