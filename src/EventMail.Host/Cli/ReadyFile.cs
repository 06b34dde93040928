namespace EventMail.Host.Cli;

/// <summary>
/// A file that is there while the server is ready and tells where it listens: a line `smtp=127.0.0.1:1025` for each listener, as a shell
/// can read them in. What waits for it never sees half of it, nor that of a server before.
/// </summary>
internal sealed class ReadyFile : IDisposable
{
    private readonly string? _path;

    /// <param name="path">Null: none is wished.</param>
    public ReadyFile(string? path)
    {
        _path = path is null ? null : Path.GetFullPath(path);
        Dispose();
    }

    /// <param name="addresses">As in the ready line.</param>
    public void Write(string addresses)
    {
        if (_path is null)
            return;
        File.WriteAllText(_path + ".new", addresses.Replace(' ', '\n') + "\n");
        File.Move(_path + ".new", _path, overwrite: true);
    }

    public void Dispose()
    {
        if (_path is not null)
            File.Delete(_path);
    }
}
