using System.Diagnostics;
using System.Globalization;

namespace EventMail.Host.Cli;

/// <summary>
/// How far long work is, on standard error: a bar on a terminal, a line every few seconds elsewhere. Not thread-safe. Dispose it before
/// anything else is printed.
/// </summary>
/// <param name="total">In the unit of what is reported; null where it is not known.</param>
/// <param name="show">A number of that unit in words.</param>
internal sealed class Progress(string what, long? total, Func<long, string> show) : IDisposable
{
    private static readonly TimeSpan OnTerminal = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Elsewhere = TimeSpan.FromSeconds(5);

    private const int BarWidth = 30;

    private readonly bool _terminal = !Console.IsErrorRedirected;
    private readonly long _start = Stopwatch.GetTimestamp();
    private long _shown = Stopwatch.GetTimestamp();
    private long _first = -1;
    private int _width;

    /// <summary>So much is done; as often as one likes.</summary>
    public void Report(long done)
    {
        // What an earlier run has done says nothing of this one's speed.
        if (_first < 0)
            _first = done;
        if (Stopwatch.GetElapsedTime(_shown) < (_terminal ? OnTerminal : Elsewhere))
            return;
        _shown = Stopwatch.GetTimestamp();
        var text = TextOf(done, Stopwatch.GetElapsedTime(_start));
        if (_terminal)
        {
            Console.Error.Write($"\r{text.PadRight(_width)}");
            _width = text.Length;
        }
        else
        {
            Console.Error.WriteLine(text);
        }
    }

    internal string TextOf(long done, TimeSpan elapsed)
    {
        if (total is not > 0)
            return $"{what}: {show(done)}";
        var share = Math.Clamp((double)done / total.Value, 0, 1);
        var bar = new string('#', (int)(share * BarWidth)).PadRight(BarWidth, '.');
        var gone = done - Math.Max(_first, 0);
        var left = gone > 0 && elapsed.TotalSeconds >= 1 ? $", {LeftOf(elapsed * ((double)Math.Max(0, total.Value - done) / gone))} left" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{what}: [{bar}] {share:P0} {show(done)} of {show(total.Value)}{left}");
    }

    private static string LeftOf(TimeSpan time) => time switch
    {
        { TotalHours: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours} h {time.Minutes} min"),
        { TotalMinutes: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{time.Minutes} min {time.Seconds} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{time.Seconds} s"),
    };

    public void Dispose()
    {
        if (_width > 0)
            Console.Error.Write($"\r{new string(' ', _width)}\r");
        _width = 0;
    }
}
