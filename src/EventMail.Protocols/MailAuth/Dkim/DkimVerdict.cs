namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>The results of RFC 8601 §2.7.1.</summary>
public enum DkimVerdict
{
    /// <summary>The message is not signed.</summary>
    None,

    /// <summary>The signature is right.</summary>
    Pass,

    /// <summary>The signature, or the hash of the body, does not belong to this message.</summary>
    Fail,

    /// <summary>What is signed, or by what, is not acceptable here.</summary>
    Policy,

    /// <summary>What stands there is no signature by the grammar.</summary>
    Neutral,

    /// <summary>The key could not be asked for; later it may.</summary>
    TempError,

    /// <summary>It will never be right: no key, a revoked one, a required tag missing.</summary>
    PermError,
}

public static class DkimVerdicts
{
    /// <summary>As it is written in Authentication-Results.</summary>
    public static string Word(this DkimVerdict verdict) => verdict switch
    {
        DkimVerdict.None => "none",
        DkimVerdict.Pass => "pass",
        DkimVerdict.Fail => "fail",
        DkimVerdict.Policy => "policy",
        DkimVerdict.Neutral => "neutral",
        DkimVerdict.TempError => "temperror",
        _ => "permerror",
    };
}
