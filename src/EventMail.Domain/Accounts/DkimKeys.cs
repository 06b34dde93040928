namespace EventMail.Domain.Accounts;

public enum DkimKeyStatus
{
    /// <summary>Made, not yet signing: its record may not be in the DNS.</summary>
    Waiting,
    Active,
    Retired,
}

/// <param name="PrivateKey">Null when it is retired: nobody needs it any more.</param>
public sealed record DkimKey(string Selector, string Algorithm, byte[] PublicKey, RecoverableSecret? PrivateKey, DkimKeyStatus Status);

/// <summary>What happens to the keys of a domain. The newest is the last; retired ones stay, so that no selector is given twice.</summary>
public static class DkimKeys
{
    public static DkimKey[] Evolve(DkimKey[] keys, object @event) => @event switch
    {
        DkimKeyAdded e => [.. keys, new(e.Selector, e.Algorithm, e.PublicKey, e.PrivateKey, DkimKeyStatus.Waiting)],
        DkimKeyActivated e => Change(keys, e.Selector, key => key with { Status = DkimKeyStatus.Active }),
        DkimKeyRetired e => Change(keys, e.Selector, Retire),
        _ => keys,
    };

    /// <summary>When its domain is removed, nothing signs for it any more.</summary>
    public static DkimKey[] RetireAll(DkimKey[] keys) => [.. keys.Select(Retire)];

    private static DkimKey Retire(DkimKey key) => key with { Status = DkimKeyStatus.Retired, PrivateKey = null };

    private static DkimKey[] Change(DkimKey[] keys, string selector, Func<DkimKey, DkimKey> change) =>
        [.. keys.Select(key => key.Selector == selector ? change(key) : key)];
}

public static class DkimDecider
{
    /// <param name="key">A new key, its selector in lower case.</param>
    public static Result<object[]> Add(DomainState state, DkimKeyAdded key) =>
        !state.Exists ? AccountRejections.DomainMissing
        : !IsSelector(key.Selector) ? AccountRejections.DkimSelectorInvalid
        : Array.Exists(state.DkimKeys, other => other.Selector == key.Selector) ? AccountRejections.DkimSelectorUsed
        : state.DkimKeys.Count(other => other.Status != DkimKeyStatus.Retired) >= AccountLimits.DkimKeys
            ? Rejection.Limit($"A domain has at most {AccountLimits.DkimKeys} keys that are not retired")
        : (object[])[key];

    public static Result<object[]> Activate(DomainState state, string selector) => Find(state, selector)?.Status switch
    {
        null => AccountRejections.DkimKeyMissing,
        DkimKeyStatus.Retired => AccountRejections.DkimKeyRetired,
        DkimKeyStatus.Active => (object[])[],
        _ => (object[])[new DkimKeyActivated(selector)],
    };

    public static Result<object[]> Retire(DomainState state, string selector) => Find(state, selector)?.Status switch
    {
        null => AccountRejections.DkimKeyMissing,
        DkimKeyStatus.Retired => (object[])[],
        _ => (object[])[new DkimKeyRetired(selector)],
    };

    private static DkimKey? Find(DomainState state, string selector) => Array.Find(state.DkimKeys, key => key.Selector == selector);

    // RFC 6376 §3.1: selector = sub-domain *( "." sub-domain )
    private static bool IsSelector(string selector) =>
        selector.Length <= AccountLimits.DkimSelector
        && Array.TrueForAll(selector.Split('.'), label => label.Length is > 0 and <= AccountLimits.Label
            && label[0] != '-' && label[^1] != '-' && label.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'));
}
