using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Smtp.Submission;

/// <summary>The scenarios of S-001 for mail that goes out; the ports themselves are in the Host's tests.</summary>
public sealed class SeedScenariosSubmissionTests(SubmissionFixture fixture) : IClassFixture<SubmissionFixture>
{
    [Fact]
    public async Task S001_S005_Given_a_client_on_the_submission_port_EHLO_offers_STARTTLS_which_is_required_before_authentication()
    {
        var account = await fixture.Mail.NewAccountAsync();
        await using var client = fixture.Open("remote");
        await client.ReadLineAsync();
        var extensions = await SubmissionFixture.EhloAsync(client);
        extensions.ShouldContain("STARTTLS");
        extensions.ShouldNotContain(line => line.StartsWith("AUTH", StringComparison.Ordinal));
        (await client.AskAsync("AUTH PLAIN")).ShouldBe("530 5.7.0 Must issue a STARTTLS command first");
        (await client.AskAsync($"MAIL FROM:<{account.Address}>"))!.ShouldStartWith("530 ");
    }

    [Fact]
    public async Task S006_S007_Given_TLS_EHLO_offers_AUTH_PLAIN_LOGIN_and_unauthenticated_clients_cannot_send_mail()
    {
        var account = await fixture.Mail.NewAccountAsync();
        await using var client = fixture.Open("remote");
        await client.ReadLineAsync();
        await SubmissionFixture.EhloAsync(client);
        await client.AskAsync("STARTTLS");
        await client.StartTlsAsync();
        (await SubmissionFixture.EhloAsync(client)).Single(line => line.StartsWith("AUTH ", StringComparison.Ordinal)).ShouldContain("PLAIN LOGIN");
        (await client.AskAsync($"MAIL FROM:<{account.Address}>")).ShouldBe("530 5.7.0 Authentication required");
    }

    [Fact]
    public async Task S008_CRAM_MD5_is_offered_once_an_account_has_opted_in()
    {
        await using (var before = fixture.Open())
        {
            await before.ReadLineAsync();
            (await SubmissionFixture.EhloAsync(before)).ShouldNotContain(line => line.Contains("CRAM-MD5"));
        }

        var account = await fixture.Mail.NewAccountAsync();
        (await fixture.Mail.Accounts.EnableRecoverableAsync(account.Address, EventMail.Testing.TestMail.Password, Projections.Actor.System, default))
            .Rejection.ShouldBeNull();
        await using var client = fixture.Open();
        await client.ReadLineAsync();
        (await SubmissionFixture.EhloAsync(client)).ShouldContain(line => line.StartsWith("AUTH ", StringComparison.Ordinal) && line.Contains("CRAM-MD5"));
        // RFC 4954 §4
        (await client.AskAsync("AUTH CRAM-MD5 eA==")).ShouldBe("501 5.7.0 The mechanism begins with a challenge: no initial response");
    }

    [Fact]
    public async Task S001_Given_an_authenticated_user_with_TLS_a_message_submitted_via_DATA_is_accepted_and_queued()
    {
        var account = await fixture.Mail.NewAccountAsync();
        await fixture.SubmittedAsync();
        await using var client = await fixture.LogInAsync(account, tls: true);
        (await SubmissionFixture.SendAsync(client, $"<{account.Address}>", ["<user@example.com>"], $"From: <{account.Address}>\r\n\r\nx"))
            .ShouldStartWith("250 2.0.0 Message accepted for delivery");
        (await fixture.OnlySubmittedAsync()).Message.Recipients[0].Domain.ShouldBe("example.com");
    }

    [Fact]
    public async Task S009_to_S012_SIZE_8BITMIME_PIPELINING_and_CHUNKING_are_advertised()
    {
        await using var client = fixture.Open();
        await client.ReadLineAsync();
        var extensions = await SubmissionFixture.EhloAsync(client);
        foreach (var extension in new[] { "SIZE 52428800", "8BITMIME", "PIPELINING", "CHUNKING" })
            extensions.ShouldContain(extension);
    }
}
