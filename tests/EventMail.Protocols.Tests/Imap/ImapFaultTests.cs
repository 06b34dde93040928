using EventMail.Testing;
using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.Tests.Imap;

/// <summary>Faults where no command could be answered with NO.</summary>
public sealed class ImapFaultTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    [Fact]
    public async Task Notices_of_annotations_wait_while_the_database_is_away()
    {
        await using var mail = await TestMail.StartAsync();
        var account = await mail.NewAccountAsync();
        var services = fixture.ServicesWith(new(), mail: mail);
        await using var one = await fixture.LogInAsync(account, services);
        await using var two = await fixture.LogInAsync(account, services);
        await one.SendLineAsync("a ENABLE METADATA");
        await one.ExpectAsync("* ENABLED METADATA");
        await one.ExpectMatchAsync("a OK .*");
        await two.SendLineAsync("a SETMETADATA INBOX (/shared/comment \"noted\")");
        await two.ExpectMatchAsync("a OK .*");
        await mail.Database.GoAwayAsync();
        await one.SendLineAsync("b NOOP");
        await one.ExpectAsync("b OK NOOP completed");
        await mail.Database.ComeBackAsync();
        // A connection of the pool may still be broken.
        string? line;
        do
        {
            await one.SendLineAsync("c NOOP");
            line = await one.ReadLineAsync();
        }
        while (line == "c OK NOOP completed");
        line.ShouldBe("* METADATA INBOX /shared/comment");
        await one.ExpectAsync("c OK NOOP completed");
    }

    [Fact]
    public async Task A_fault_outside_of_a_command_says_BYE()
    {
        using var log = new FaultyLog();
        var services = fixture.ServicesWith(new(), log);
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync(), services);
        log.Fails = true;
        await client.SendLineAsync("a NOOP");
        // RFC 3501 §7.1.5
        await client.ExpectAsync("* BYE [SERVERBUG] Internal error");
        (await client.ReadLineAsync()).ShouldBeNull();
    }

    // A command is logged when it is over, outside of what makes a NO of its faults.
    private sealed class FaultyLog : ILogger, IDisposable
    {
        public bool Fails { get; set; }

        public IDisposable BeginScope<TState>(TState state)
            where TState : notnull => this;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (Fails && exception is null)
                throw new InvalidOperationException("The log is full");
        }

        public void Dispose()
        {
        }
    }
}
