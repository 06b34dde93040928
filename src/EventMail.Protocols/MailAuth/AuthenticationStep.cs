using EventMail.Protocols.Dns;
using EventMail.Protocols.MailAuth.Arc;
using EventMail.Protocols.MailAuth.Dkim;
using EventMail.Protocols.MailAuth.Dmarc;
using EventMail.Protocols.MailAuth.Spf;
using EventMail.Protocols.Smtp.Reception;
using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.MailAuth;

/// <summary>
/// Who a message is from, as far as that can be proved: iprev, SPF, DKIM, ARC and what DMARC makes of them. All at once, within one time;
/// what fails on our side or has no answer is a temporary error and refuses nothing.
/// </summary>
/// <param name="hostname">Our name in Authentication-Results (authserv-id, RFC 8601 §2.5).</param>
public sealed class AuthenticationStep(IDnsSource dns, string hostname, MailAuthOptions options, TimeProvider clock, ILogger log) : IReceptionStep
{
    private const string TooLate = "no answer in time";

    private readonly SpfVerifier _spf = new(dns, hostname, clock);
    private readonly DkimVerifier _dkim = new();
    private readonly ArcVerifier _arc = new();
    private readonly DmarcVerifier _dmarc = new(dns);

    public async ValueTask<StepResult> RunAsync(ReceivedMessage message, CancellationToken cancel)
    {
        var envelope = message.Envelope;
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        time.CancelAfter(options.Timeout);
        var results = await CheckAsync(message, time.Token, cancel).ConfigureAwait(false);
        var disposition = DispositionOf(results);
        log.Checked(envelope.Id, envelope.Client.Address.ToString(), results.ToString());
        return ResultOf(disposition, results) with { Edit = Edit };

        void Edit(ReceivedMessage checkedMessage)
        {
            checkedMessage.EditedHeader = ForeignResults.Remove(checkedMessage.EditedHeader, hostname);
            checkedMessage.Prepend(results.Field(envelope, hostname));
            checkedMessage.Authentication = results.Finding(envelope, disposition);
        }
    }

    private static StepResult ResultOf(DmarcPolicy disposition, CheckResults results) => disposition switch
    {
        DmarcPolicy.Reject => StepResult.Refused("dmarc", new($"550 5.7.1 Refused by the DMARC policy of {results.Dmarc!.Domain}")),
        DmarcPolicy.Quarantine => new(Disposition.Junk, "dmarc"),
        _ => StepResult.Accepted,
    };

    private async ValueTask<CheckResults> CheckAsync(ReceivedMessage message, CancellationToken time, CancellationToken cancel)
    {
        var envelope = message.Envelope;
        var client = envelope.Client.Address;
        var sender = envelope.ReversePath;
        var domain = DomainNames.ToAscii(sender.Domain);
        var reverse = WithinAsync(
            "iprev", token => ReverseNameCheck.RunAsync(dns, client, token), _ => new ReverseNameResult("temperror", null));
        var spf = WithinAsync(
            "spf", token => _spf.MailFromAsync(client, envelope.ClientName, sender.LocalPart, domain, token),
            why => new SpfOutcome(SpfResult.TempError, SpfIdentity.MailFrom, domain.Length > 0 ? domain : envelope.ClientName, why, null));
        // RFC 7208 §2.3: both identities. For the null reverse-path they are one.
        var helo = sender.IsNull ? null : WithinAsync(
            "spf helo", token => _spf.HeloAsync(client, envelope.ClientName, token),
            why => new SpfOutcome(SpfResult.TempError, SpfIdentity.Helo, envelope.ClientName, why, null));
        var dkim = WithinAsync<IReadOnlyList<DkimResult>>(
            "dkim", token => _dkim.VerifyAsync(message.Header, message.BodyAsync(token), dns, clock.GetUtcNow(), token),
            why => [new(DkimVerdict.TempError, why)]);
        var arc = WithinAsync(
            "arc", token => _arc.VerifyAsync(message.Header, message.BodyAsync(token), dns, clock.GetUtcNow(), token),
            why => new ArcResult(ArcVerdict.Fail, why));
        // None of them is left behind with the message's memory.
        await Task.WhenAll(helo is null ? [reverse, spf, dkim, arc] : [reverse, spf, helo, dkim, arc]).ConfigureAwait(false);
        var (mailFrom, signatures) = (await spf.ConfigureAwait(false), await dkim.ConfigureAwait(false));
        var dmarc = options.Dmarc == DmarcHandling.Off ? null : await WithinAsync(
            "dmarc", token => _dmarc.EvaluateAsync(message.Header, mailFrom, signatures, token),
            why => new DmarcOutcome(DmarcResult.TempError, null, null, null, why)).ConfigureAwait(false);
        return new(await reverse.ConfigureAwait(false), mailFrom, helo is null ? null : await helo.ConfigureAwait(false), signatures, await arc.ConfigureAwait(false), dmarc);

        async Task<T> WithinAsync<T>(string check, Func<CancellationToken, ValueTask<T>> run, Func<string, T> missing)
        {
            try
            {
                return await run(time).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (time.IsCancellationRequested && !cancel.IsCancellationRequested)
            {
                return missing(TooLate);
            }
            // The spool's trouble is the message's, not the check's.
            catch (Exception error) when (error is not (OutOfMemoryException or IOException or OperationCanceledException))
            {
                log.CheckFailed(error, check, envelope.Id, client.ToString());
                return missing("internal error");
            }
        }
    }

    private DmarcPolicy DispositionOf(CheckResults results) => (options.Dmarc, results.Dmarc?.Requested ?? DmarcPolicy.None) switch
    {
        (_, DmarcPolicy.None) or (DmarcHandling.Off or DmarcHandling.Record, _) => DmarcPolicy.None,
        _ when results.Dmarc is { Domain: { } author } && TrustedForwarding.Vouches(results.Arc, options.TrustedSealers, author) => DmarcPolicy.None,
        (DmarcHandling.Reject, DmarcPolicy.Reject) => DmarcPolicy.Reject,
        _ => DmarcPolicy.Quarantine,
    };
}
