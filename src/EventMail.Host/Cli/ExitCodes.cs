namespace EventMail.Host.Cli;

/// <summary>What every command ends with.</summary>
public static class ExitCodes
{
    public const int Done = 0;

    /// <summary>Understood, but it could not be done; standard error says why.</summary>
    public const int Failed = 1;

    /// <summary>The command line or the settings cannot be used as they are.</summary>
    public const int Usage = 2;

    /// <summary>Something that must run does not run, or something that must not run does.</summary>
    public const int WrongMoment = 3;

    /// <summary>The record was altered: verification found faults, and named them.</summary>
    public const int Altered = 4;
}
