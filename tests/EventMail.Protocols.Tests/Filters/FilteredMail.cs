using System.Text;
using EventMail.Projections.Accounts;
using EventMail.Protocols.Smtp;
using EventMail.Protocols.Smtp.Data;
using EventMail.Protocols.Smtp.Reception;
using EventMail.Protocols.Tests.Smtp;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Filters;

/// <summary>Mail from another server (192.0.2.1, client.example.com) through filters into one real account.</summary>
public sealed class FilteredMail
{
    public const string Message = "From: A <a@example.com>\r\nSubject: one\r\n two\r\nMessage-ID: <1@example.com>\r\n\r\nbody\r\n";

    internal FilteredMail(TestMail mail, AccountEntry account) => (Mail, Account) = (mail, account);

    internal TestMail Mail { get; }

    internal AccountEntry Account { get; }

    internal SpoolSpace Spool => field ??= new(Path.Combine(Mail.Folder, "spool"));

    /// <summary>Sends a message and answers the reply to its end, or the first that is a refusal.</summary>
    internal async Task<string> SendAsync(string message, params IReceptionStep[] steps)
    {
        await using var client = await GreetAsync(steps);
        foreach (var line in new[] { "MAIL FROM:<sender@example.com>", $"RCPT TO:<{Account.Address}>", "DATA" })
        {
            var reply = (await client.AskAsync(line))!;
            if (reply[0] is '4' or '5')
                return reply;
        }
        await client.SendAsync(Encoding.ASCII.GetBytes(message + ".\r\n"));
        return (await client.ReadLineAsync())!;
    }

    /// <summary>The other server has greeted.</summary>
    internal Task<ScriptedClient> GreetAsync(params IReceptionStep[] steps) => new SmtpHarness
    {
        Mailboxes = new MailboxDestination(Mail.Directory, Mail.Log.Contents, Mail.Mailboxes, new(steps, [], Spool, new(Mail.Log))),
    }.GreetAsync();

    /// <summary>The only message of a mailbox, without Return-Path.</summary>
    internal async Task<string> StoredAsync(string mailbox = "INBOX")
    {
        using var open = (await Mail.Mailboxes.OpenAsync(Account.Account, mailbox, default)).Value.ShouldNotBeNull();
        var numbers = new List<long>();
        foreach (var slice in open.View.Slices())
            numbers.AddRange(slice.Contents[..slice.Length]);
        await using var content = await Mail.Log.Contents.ReadAsync(numbers.ShouldHaveSingleItem());
        await using var stream = content.OpenRead();
        using var reader = new StreamReader(stream);
        var text = await reader.ReadToEndAsync();
        return text[(text.IndexOf('\n') + 1)..];
    }

    /// <summary>The same without our Received.</summary>
    internal async Task<string> StoredFieldsAsync(string mailbox = "INBOX") =>
        System.Text.RegularExpressions.Regex.Replace(await StoredAsync(mailbox), "Received: from client[^\r]*(\r\n\t[^\r]*)*\r\n", "");

    internal async Task<List<T>> EventsAsync<T>()
    {
        var events = new List<T>();
        await foreach (var e in Mail.Log.Reader.ReadHistoryAsync(new() { Tenant = Account.Account }, default))
        {
            if (e.Data is T wanted)
                events.Add(wanted);
        }
        return events;
    }
}
