using System.Globalization;
using EventMail.Domain.Reception;
using EventMail.Protocols.MailAuth.Arc;
using EventMail.Protocols.MailAuth.Dkim;
using EventMail.Protocols.MailAuth.Dmarc;
using EventMail.Protocols.MailAuth.Spf;
using EventMail.Protocols.Smtp;

namespace EventMail.Protocols.MailAuth;

/// <summary>What was found out about one message, as a header field, as a part of an event and as a line of the log.</summary>
/// <param name="Helo">Null where the client's name is the identity of <paramref name="Spf"/> already.</param>
/// <param name="Dmarc">Null: not asked.</param>
internal sealed record CheckResults(
    ReverseNameResult Reverse, SpfOutcome Spf, SpfOutcome? Helo, IReadOnlyList<DkimResult> Dkim, ArcResult Arc, DmarcOutcome? Dmarc)
{
    /// <summary>Authentication-Results (RFC 8601). Of the sender's address only what was checked is told: its domain (§4).</summary>
    public string Field(SmtpEnvelope envelope, string authservId)
    {
        var field = new AuthenticationResults(authservId)
            .Add("iprev", Reverse.Word, null, ("policy.iprev", envelope.Client.Address.ToString()))
            .Add("spf", Word(Spf.Result), Spf.Detail, (envelope.ReversePath.IsNull ? "smtp.helo" : "smtp.mailfrom", Spf.Domain));
        if (Helo is { Result: not SpfResult.None })
            field.Add("spf", Word(Helo.Result), Helo.Detail, ("smtp.helo", Helo.Domain));
        foreach (var signature in Dkim)
        {
            field.Add(
                "dkim", signature.Verdict.Word(), signature is { IsTesting: true, Reason: "" } ? "the key is being tested" : signature.Reason, ("header.d", signature.Domain), ("header.s", signature.Selector),
                ("header.a", signature.Algorithm), ("header.b", signature.SignatureStart));
        }
        // RFC 8617 §10.2
        if (Arc.Verdict != ArcVerdict.None)
        {
            field.Add(
                "arc", Arc.Word, Arc.Reason, ("header.oldest-pass", Arc.Verdict == ArcVerdict.Pass ? Arc.OldestPass.ToString(CultureInfo.InvariantCulture) : null),
                ("smtp.remote-ip", envelope.Client.Address.ToString()));
        }
        if (Dmarc is not null)
        {
            field.Add(
                "dmarc", Word(Dmarc.Result), Dmarc.Detail, ("header.from", Dmarc.Domain),
                ("policy.dmarc", Dmarc.Policy is { } policy ? Word(policy) : null));
        }
        return field.ToString();
    }

    /// <param name="disposition">What is done for DMARC's sake.</param>
    public Authentication Finding(SmtpEnvelope envelope, DmarcPolicy disposition) => new(
        envelope.Client.Address.ToString(), envelope.ClientName, Reverse.Name, new(Word(Spf.Result), Spf.Domain),
        Dkim is [{ Verdict: DkimVerdict.None }] ? [] : [.. Dkim.Select(result => new DkimFinding(result.Verdict.Word(), result.Domain, result.Selector))],
        Arc.Verdict == ArcVerdict.None ? null : new(Arc.Word, Arc.Sealers.Count > 0 ? Arc.Sealers[^1] : null),
        Dmarc is null ? null : new(Word(Dmarc.Result), Dmarc.Domain, Dmarc.Policy is { } policy ? Word(policy) : null, Word(disposition)));

    public override string ToString() =>
        $"iprev={Reverse.Word} spf={Word(Spf.Result)} dkim={string.Join(',', Dkim.Select(result => result.Verdict.Word()))}"
        + (Arc.Verdict == ArcVerdict.None ? "" : $" arc={Arc.Word}")
        + (Dmarc is null ? "" : $" dmarc={Word(Dmarc.Result)}");

    private static string Word<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();
}
