namespace EventMail.Domain.Accounts;

/// <summary>What an account may keep.</summary>
/// <param name="Messages">Null: as many as there is room for.</param>
public readonly record struct QuotaLimits(long Bytes, long? Messages);
