using System.Net.Security;
using EventMail.Protocols.Smtp;
using EventMail.Protocols.Smtp.Syntax;

namespace EventMail.Protocols.Filters.Milter;

/// <summary>What milters may know of the message beside the dialogue, in the names of Sendmail.</summary>
internal static class MilterMacros
{
    // Most suites of TLS 1.3 and no others are 0x13xx (RFC 8446 §B.4); older versions than 1.2 are not spoken here.
    private const int Tls13 = 0x13;

    /// <summary>Writes a packet of those that belong in front of a command; none when there are none.</summary>
    /// <param name="clientName">With <see cref="MilterCommand.Connect"/>: the name that leads back to the client; null where there is none.</param>
    /// <param name="recipient">With <see cref="MilterCommand.Rcpt"/>.</param>
    public static void Write(
        MilterWire wire, MilterCommand command, SmtpEnvelope envelope, string? clientName = null, AcceptedRecipient? recipient = null)
    {
        var packet = new Packet(wire, command);
        switch (command)
        {
            case MilterCommand.Connect:
                packet.Add("j", envelope.Hostname);
                packet.Add("_", $"{(clientName is null ? "" : clientName + " ")}{AddressLiterals.Of(envelope.Client.Address)}");
                packet.Add("{client_addr}", envelope.Client.Address.ToString());
                packet.Add("{client_name}", ClientName(envelope, clientName));
                packet.Add("{daemon_name}", envelope.Role.Name);
                packet.Add("v", "EventMail");
                break;
            case MilterCommand.Helo when envelope.Cipher is { } cipher:
                packet.Add("{tls_version}", Version(cipher));
                packet.Add("{cipher}", cipher.ToString());
                break;
            case MilterCommand.Mail:
                packet.Add("i", envelope.Id);
                packet.Add("{mail_addr}", envelope.ReversePath.Mailbox);
                packet.Add("{mail_host}", envelope.ReversePath.Domain);
                if (envelope.Account is { } account)
                {
                    packet.Add("{auth_type}", "SASL");
                    packet.Add("{auth_authen}", envelope.Actor.UserName ?? account);
                }
                break;
            case MilterCommand.Rcpt when recipient is not null:
                packet.Add("{rcpt_addr}", recipient.Address);
                packet.Add("{rcpt_host}", recipient.Path.Domain);
                packet.Add("{rcpt_mailer}", recipient.RemoteDomain is null ? "local" : "esmtp");
                break;
            case MilterCommand.Data or MilterCommand.EndOfHeaders or MilterCommand.EndOfMessage:
                packet.Add("i", envelope.Id);
                break;
        }
        packet.End();
    }

    /// <summary>The name that leads back to the client, or its address in brackets.</summary>
    public static string ClientName(SmtpEnvelope envelope, string? clientName) => clientName ?? AddressLiterals.Of(envelope.Client.Address);

    private static string Version(TlsCipherSuite cipher) => (ushort)cipher >> 8 == Tls13 ? "TLSv1.3" : "TLSv1.2";

    // Begun with its first macro.
    private struct Packet(MilterWire wire, MilterCommand command)
    {
        private bool _begun;

        public void Add(string name, string value)
        {
            if (!_begun)
            {
                wire.Begin(MilterCommand.Macros);
                wire.Octet((byte)command);
                _begun = true;
            }
            wire.Text(name);
            wire.Text(value);
        }

        public readonly void End()
        {
            if (_begun)
                wire.End();
        }
    }
}
