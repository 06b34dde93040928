using System.Diagnostics;
using System.Globalization;
using EventMail.EventStore;

namespace EventMail.Host.Cli;

/// <summary>How far a build is: a bar that is drawn over on a terminal, a line every few seconds elsewhere. On standard error.</summary>
internal sealed class BuildBar
{
    private const int Width = 30;

    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(5);

    private readonly bool _isTerminal = !Console.IsErrorRedirected;
    private BuildPhase? _phase;
    private string _why = "";
    private long _told;
    private bool _isDrawn;

    public async Task ReportAsync(BuildProgress progress)
    {
        var isNews = progress.Phase != _phase || progress.Why is { } why && why != _why;
        (_phase, _why) = (progress.Phase, progress.Why ?? "");
        switch (progress.Phase)
        {
            case BuildPhase.Folding when _isTerminal:
                await Console.Error.WriteAsync($"\r{LineOf(progress.Build)}\u001b[K");
                _isDrawn = true;
                break;
            case BuildPhase.Folding when isNews || Stopwatch.GetElapsedTime(_told) >= LineInterval:
                _told = Stopwatch.GetTimestamp();
                await Console.Error.WriteLineAsync(LineOf(progress.Build));
                break;
            case BuildPhase.Done:
                End();
                await Console.Out.WriteLineAsync($"{string.Join(", ", progress.Models)}: done, at position {progress.Build.Position.ToString(CultureInfo.InvariantCulture)} of the log");
                break;
            case not BuildPhase.Folding when isNews:
                End();
                await Console.Error.WriteLineAsync($"waiting: {progress.Why}");
                break;
        }
    }

    /// <summary>What is printed next begins a line.</summary>
    public void End()
    {
        if (_isDrawn)
            Console.Error.WriteLine();
        _isDrawn = false;
    }

    internal static string LineOf(ReadModelBuild build)
    {
        var filled = (int)(build.Share * Width);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"[{new string('#', filled)}{new string('.', Width - filled)}] {build.Share:0.0 %} {build.Position}/{build.Target} {build.Rate:0} events/s{(build.Left is { } left ? $", {left:hh\\:mm\\:ss} left" : "")}");
    }
}
