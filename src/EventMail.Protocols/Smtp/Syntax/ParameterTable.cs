using System.Text;

namespace EventMail.Protocols.Smtp.Syntax;

/// <summary>One ESMTP parameter of MAIL or RCPT (RFC 5321 §4.1.2).</summary>
/// <param name="Read">Takes the value into the draft; null when all is well, else the refusal. The value is empty where none is taken.</param>
internal sealed record SmtpParameter<T>(string Keyword, SmtpRoles Roles, bool TakesValue, ParameterReader<T> Read);

internal delegate SmtpReply? ParameterReader<in T>(T draft, ReadOnlySpan<byte> value, SmtpSession session);

/// <summary>The parameters of one command: which there are for which role, and that each stands once and with a value where it has one.</summary>
internal sealed class ParameterTable<T>(SmtpReply syntaxError, params SmtpParameter<T>[] rows)
{
    public SmtpReply? Parse(ReadOnlySpan<byte> text, T draft, SmtpSession session)
    {
        Span<bool> seen = stackalloc bool[rows.Length];
        var list = new EsmtpParameters(text);
        while (list.Next())
        {
            var at = IndexOf(list, session.Role);
            if (at < 0)
                return SmtpReplies.UnknownParameter;
            if (seen[at] || list.HasValue != rows[at].TakesValue)
                return SmtpReplies.BadParameter;
            seen[at] = true;
            if (rows[at].Read(draft, list.Value, session) is { } refusal)
                return refusal;
        }

        return list.Malformed ? syntaxError : null;
    }

    private int IndexOf(in EsmtpParameters list, SmtpRole role)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            if (Ascii.EqualsIgnoreCase(list.Keyword, rows[i].Keyword))
                return role.IsOneOf(rows[i].Roles) ? i : -1;
        }

        return -1;
    }
}
