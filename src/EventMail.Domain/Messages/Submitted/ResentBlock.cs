namespace EventMail.Domain.Messages.Submitted;

/// <summary>
/// The fields of the last time that a message was sent on (RFC 5322 §3.6.6): they stand in front of those of earlier times, one of each
/// name, with no trace field between them.
/// </summary>
/// <param name="Start">The first field's position; -1 where there is no such block.</param>
/// <param name="From">Resent-From's position.</param>
/// <param name="Sender">Resent-Sender's position.</param>
internal readonly record struct ResentBlock(int Start, int? From, int? Sender, bool HasDate, bool HasMessageId)
{
    public bool Exists => Start >= 0;

    public static ResentBlock Of(IReadOnlyList<SubmittedField> fields)
    {
        var block = new ResentBlock(-1, null, null, false, false);
        for (var i = 0; i < fields.Count; i++)
        {
            if (fields[i] < SubmittedField.ResentFrom)
            {
                if (block.Exists && fields[i] is SubmittedField.Received or SubmittedField.ReturnPath)
                    break;
                continue;
            }

            if (block.Has(fields[i]))
                break;
            block = (block.Exists ? block : block with { Start = i }).With(fields[i], i);
        }

        return block;
    }

    private bool Has(SubmittedField field) => field switch
    {
        SubmittedField.ResentFrom => From is not null,
        SubmittedField.ResentSender => Sender is not null,
        SubmittedField.ResentDate => HasDate,
        SubmittedField.ResentMessageId => HasMessageId,
        _ => false,
    };

    private ResentBlock With(SubmittedField field, int at) => field switch
    {
        SubmittedField.ResentFrom => this with { From = at },
        SubmittedField.ResentSender => this with { Sender = at },
        SubmittedField.ResentDate => this with { HasDate = true },
        SubmittedField.ResentMessageId => this with { HasMessageId = true },
        _ => this,
    };
}
