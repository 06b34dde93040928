using System.Net;
using System.Text;
using EventMail.Projections.Accounts;
using EventMail.Protocols.Smtp;
using EventMail.Protocols.Smtp.Data;
using EventMail.Protocols.Smtp.Reception;
using EventMail.Protocols.Tests.Smtp;
using EventMail.Testing;

namespace EventMail.Protocols.Tests.Filters;

/// <summary>Mail from another server (192.0.2.1, client.example.com) through filters into one real account.</summary>
internal sealed class FilteredMail : IAsyncDisposable
{
    public const string Message = "From: A <a@example.com>\r\nSubject: one\r\n two\r\nMessage-ID: <1@example.com>\r\n\r\nbody\r\n";

    private FilteredMail(TestMail mail, AccountEntry account) => (Mail, Account) = (mail, account);

    public TestMail Mail { get; }

    public AccountEntry Account { get; }

    public SpoolSpace Spool => field ??= new(Path.Combine(Mail.Folder, "spool"));

    public static async Task<FilteredMail> StartAsync()
    {
        var mail = await TestMail.StartAsync();
        return new(mail, await mail.NewAccountAsync());
    }

    /// <summary>Sends a message and answers the reply to its end.</summary>
    public async Task<string> SendAsync(string message, params IReceptionStep[] steps)
    {
        var harness = new SmtpHarness
        {
            Mailboxes = new MailboxDestination(Mail.Directory, Mail.Log.Contents, Mail.Mailboxes, new(steps, [], Spool, new(Mail.Log))),
        };
        await using var client = await harness.BeginDataAsync(Account.Address);
        await client.SendAsync(Encoding.ASCII.GetBytes(message + ".\r\n"));
        return (await client.ReadLineAsync())!;
    }

    /// <summary>The only message of a mailbox, without Return-Path.</summary>
    public async Task<string> StoredAsync(string mailbox = "INBOX")
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
    public async Task<string> StoredFieldsAsync(string mailbox = "INBOX") =>
        System.Text.RegularExpressions.Regex.Replace(await StoredAsync(mailbox), "Received: from client[^\r]*(\r\n\t[^\r]*)*\r\n", "");

    public async Task<List<T>> EventsAsync<T>()
    {
        var events = new List<T>();
        await foreach (var e in Mail.Log.Reader.ReadHistoryAsync(new() { Tenant = Account.Account }, default))
        {
            if (e.Data is T wanted)
                events.Add(wanted);
        }
        return events;
    }

    public ValueTask DisposeAsync() => Mail.DisposeAsync();
}
