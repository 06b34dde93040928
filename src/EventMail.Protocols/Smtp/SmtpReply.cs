using System.Text;

namespace EventMail.Protocols.Smtp;

/// <summary>One reply, ready to send.</summary>
public sealed class SmtpReply
{
    public SmtpReply(string line)
    {
        Line = line;
        Bytes = Encoding.ASCII.GetBytes(line + "\r\n");
        Code = int.Parse(line.AsSpan(0, 3), null);
    }

    public string Line { get; }

    /// <summary>With CRLF.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    public int Code { get; }

    /// <summary>The connection is closed behind it.</summary>
    public bool Closes => Code is 221 or 421;

    /// <summary>It answers rubbish or a wrong sequence (RFC 5321 §4.2.2): counted by <see cref="SmtpLimits.MaxErrors"/>.</summary>
    public bool IsClientError => Code is 500 or 501 or 502 or 503 or 504 or 555;

    /// <summary>The code counts, the class says whether trying again helps.</summary>
    public bool IsPositive => Code < 400;

    public override string ToString() => Line;
}
