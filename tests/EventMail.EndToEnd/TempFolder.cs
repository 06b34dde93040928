namespace EventMail.EndToEnd;

/// <summary>A folder that is gone after the test.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("eventmail-e2e-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>
    /// Lets others pass through, not look: PostgreSQL, which is someone else where the tests are root, then has its cluster in
    /// a data folder below, and not in a place of its own that nobody cleans up.
    /// </summary>
    public TempFolder Passable()
    {
        File.SetUnixFileMode(Path, File.GetUnixFileMode(Path) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        return this;
    }

    /// <summary>Writes a client's settings: nobody else may read them, which some clients insist on.</summary>
    public string Write(string name, string text)
    {
        var file = this[name];
        File.WriteAllText(file, text);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return file;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
