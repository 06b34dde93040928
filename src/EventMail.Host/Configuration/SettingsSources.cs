using Microsoft.Extensions.Configuration;

namespace EventMail.Host.Configuration;

/// <summary>What the command line says about settings.</summary>
/// <param name="Data">--data</param>
/// <param name="ConfigFile">--config</param>
/// <param name="Set">--set Key=Value, the last one of a key wins.</param>
public sealed record SettingsSources(string? Data = null, string? ConfigFile = null, IReadOnlyList<string>? Set = null)
{
    public const string EnvironmentPrefix = "EVENTMAIL_";

    /// <summary>Used without --config when the data folder has it.</summary>
    public const string FileInDataFolder = "eventmail.json";

    /// <summary>False: the data folder's own file is left alone. Capture mode has nothing of a server that is in use.</summary>
    public bool ReadDataFolder { get; init; } = true;

    /// <summary>--set and --data win over the environment, which wins over the file, which wins over the defaults.</summary>
    /// <exception cref="SettingsException">Something in them cannot be used.</exception>
    public HostSettings Load()
    {
        var settings = SettingsReader.Read(Build(ConfigFile));
        if (ConfigFile is null && ReadDataFolder && settings.Data.Length > 0 && Path.Combine(settings.Data, FileInDataFolder) is var file && File.Exists(file))
        {
            var data = settings.Data;
            settings = SettingsReader.Read(Build(file));
            if (settings.Data != data)
                throw new SettingsException($"{file} lies in the data folder and cannot name another one (Data={settings.Data}). Use --data.");
        }
        return settings.Data.Length > 0
            ? settings with { Data = Path.GetFullPath(settings.Data) }
            : throw new SettingsException("There is no home folder to put the data folder into. Name one with --data DIR.");
    }

    private IConfigurationRoot Build(string? file)
    {
        var builder = new ConfigurationBuilder();
        if (file is not null)
        {
            if (!File.Exists(file))
                throw new SettingsException($"There is no settings file {Path.GetFullPath(file)} (--config).");
            builder.AddJsonFile(Path.GetFullPath(file), optional: false, reloadOnChange: false);
        }
        builder.AddEnvironmentVariables(EnvironmentPrefix);
        builder.AddInMemoryCollection(CommandLine());
        try
        {
            return builder.Build();
        }
        catch (Exception error) when (error is InvalidDataException or FormatException or IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"The settings file {file} cannot be read: {(error.InnerException ?? error).Message}");
        }
    }

    private Dictionary<string, string?> CommandLine()
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (var assignment in Set ?? [])
        {
            var equals = assignment.IndexOf('=');
            if (equals <= 0)
                throw new SettingsException($"--set {assignment}: write --set Key=Value, for example --set Imap:Port=0.");
            values[assignment[..equals].Trim()] = assignment[(equals + 1)..].Trim();
        }
        if (Data is not null)
            values[nameof(HostSettings.Data)] = Data;
        return values;
    }
}
