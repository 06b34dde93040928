using EventMail.EventStore.Proof;
using EventMail.Host.Configuration;

namespace EventMail.Host.Audit;

/// <summary>The file with the key that signs checkpoints. It is in no database and in no backup of one.</summary>
internal static class AuditKeyFile
{
    public static string PathOf(HostSettings settings) =>
        settings.Audit.KeyFile.Length > 0 ? Path.GetFullPath(settings.Audit.KeyFile) : Path.Combine(settings.Data, "audit.key");

    /// <summary>Reads the key; makes one where there is none, which only its owner can read.</summary>
    /// <param name="isNew">It was made.</param>
    /// <exception cref="SettingsException">The file holds no key, or its name can be none.</exception>
    public static NoteSigningKey Open(HostSettings settings, out bool isNew)
    {
        var path = PathOf(settings);
        isNew = !File.Exists(path);
        if (isNew)
            Create(path, settings);
        try
        {
            return NoteSigningKey.Parse(File.ReadAllText(path));
        }
        catch (FormatException error)
        {
            throw new SettingsException($"{path} holds {error.Message}. Put the file back from its copy; without one, move it away: a new key is made, which does not vouch for what the old one signed.");
        }
    }

    // Whole under its final name, or not there: a server and a command may both be first.
    private static void Create(string path, HostSettings settings)
    {
        var name = settings.Audit.Origin.Length > 0 ? settings.Audit.Origin : settings.EffectiveHostname;
        var unfinished = $"{path}.{Environment.ProcessId}";
        Directory.CreateDirectory(Path.GetDirectoryName(path)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        using (var file = new FileStream(unfinished, options))
        {
            file.Write(System.Text.Encoding.UTF8.GetBytes(Generate(name).ToSecretText() + '\n'));
            file.Flush(flushToDisk: true);
        }
        try
        {
            File.Move(unfinished, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            // The other one's key counts.
            File.Delete(unfinished);
        }
    }

    private static NoteSigningKey Generate(string name)
    {
        try
        {
            return NoteSigningKey.Generate(name);
        }
        catch (FormatException error)
        {
            throw new SettingsException($"Audit:Origin: {error.Message}.");
        }
    }
}
