using EventMail.EventStore.Backup;
using EventMail.Host.Cli;

namespace EventMail.Host.Moving.Backup;

/// <summary>A bar for each stage of a backup or restore.</summary>
internal sealed class StageProgress(string what) : IDisposable
{
    private Progress? _progress;
    private (string, long) _stage;

    public void Report(BackupProgress at)
    {
        if (_stage != (at.Stage, at.Total))
        {
            _progress?.Dispose();
            _progress = new($"{what}, {at.Stage}", at.Total, at.Stage is "verifying" or "restoring" ? ListOutput.Size : done => $"{done}");
            _stage = (at.Stage, at.Total);
        }
        _progress!.Report(at.Done);
    }

    public void Dispose()
    {
        _progress?.Dispose();
        _progress = null;
        _stage = default;
    }
}
