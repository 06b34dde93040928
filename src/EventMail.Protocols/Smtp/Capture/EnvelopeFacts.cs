using System.Globalization;
using System.Text.Json.Nodes;
using EventMail.Domain.Deliveries;

namespace EventMail.Protocols.Smtp.Capture;

/// <summary>What an envelope says besides its addresses, as members of its events' headers.</summary>
internal static class EnvelopeFacts
{
    /// <param name="session">The session's headers: a JSON object of strings.</param>
    public static string Of(SmtpEnvelope envelope, string session)
    {
        var facts = JsonNode.Parse(session)!.AsObject();
        var parameters = envelope.Parameters;
        facts["helo"] = envelope.ClientName;
        Add("tls", envelope.Cipher?.ToString());
        Add("size", parameters.Size > 0 ? parameters.Size.ToString(CultureInfo.InvariantCulture) : null);
        Add("body", parameters.Body switch
        {
            Syntax.BodyType.EightBitMime => "8BITMIME",
            Syntax.BodyType.BinaryMime => "BINARYMIME",
            _ => null,
        });
        Add("smtputf8", parameters.SmtpUtf8 ? "true" : null);
        Add("requiretls", parameters.RequireTls ? "true" : null);
        Add("ret", parameters.Return);
        Add("envid", parameters.EnvelopeId);
        Add("by", parameters.DeliverBy?.ToString());
        Add("mt-priority", parameters.Priority?.ToString(CultureInfo.InvariantCulture));
        for (var i = 0; i < envelope.Recipients.Count; i++)
        {
            var recipient = envelope.Recipients[i];
            Add($"notify.{recipient.Address}", recipient.Parameters.Notify == NotifyOn.Default ? null : recipient.Parameters.Notify.ToString());
            Add($"orcpt.{recipient.Address}", recipient.Parameters.OriginalRecipient);
        }
        return facts.ToJsonString();

        void Add(string name, string? value)
        {
            if (value is not null)
                facts[name] = value;
        }
    }
}
