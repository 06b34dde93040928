using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace EventMail.Host.Telemetry;

/// <summary>Adds up what instruments measure and writes it in Prometheus' text format (0.0.4). Thread-safe.</summary>
internal sealed class PrometheusCollector : IDisposable
{
    public const string MediaType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<Instrument, ConcurrentDictionary<string, Series>> _series = new();
    private readonly Lock _collecting = new();

    /// <param name="meters">Whose instruments, those that they get later among them.</param>
    public PrometheusCollector(params Meter[] meters)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (meters.Contains(instrument.Meter))
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Measure(instrument, value, tags));
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Measure(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Measure(instrument, value, tags));
        _listener.Start();
    }

    public void Dispose() => _listener.Dispose();

    public string Write()
    {
        var text = new StringBuilder();
        lock (_collecting)
        {
            // What a gauge no longer tells of is gone.
            foreach (var gauge in _series.Keys.Where(instrument => instrument.IsObservable))
                _series[gauge].Clear();
            _listener.RecordObservableInstruments();
            foreach (var (instrument, series) in _series.OrderBy(pair => pair.Key.Name, StringComparer.Ordinal))
                Write(text, instrument, series);
        }
        return text.ToString();
    }

    private void Measure(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var of = _series.GetOrAdd(instrument, static _ => new(StringComparer.Ordinal));
        var labels = LabelsOf(tags);
        var series = of.GetOrAdd(labels, static (_, measured) => Series.For(measured), instrument);
        series.Add(value, replace: instrument.IsObservable);
    }

    private static void Write(StringBuilder text, Instrument instrument, ConcurrentDictionary<string, Series> series)
    {
        var isHistogram = instrument is Histogram<double>;
        var isCounter = instrument is Counter<long> or Counter<double> or Counter<int>;
        var name = NameOf(instrument, isCounter);
        text.Append("# HELP ").Append(name).Append(' ').Append(instrument.Description?.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Append('\n');
        text.Append("# TYPE ").Append(name).Append(isHistogram ? " histogram\n" : isCounter ? " counter\n" : " gauge\n");
        foreach (var (labels, one) in series.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            one.Write(text, name, labels);
    }

    // `eventmail.queue.age` in seconds is eventmail_queue_age_seconds; a counter ends in _total.
    private static string NameOf(Instrument instrument, bool isCounter) =>
        instrument.Name.Replace('.', '_') + instrument.Unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" } + (isCounter ? "_total" : "");

    private static string LabelsOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty)
            return "";
        var text = new StringBuilder();
        foreach (var (name, value) in tags)
            text.Append(text.Length > 0 ? "," : "").Append(name).Append("=\"").Append(Escaped(value?.ToString() ?? "")).Append('"');
        return text.ToString();
    }

    private static string Escaped(string value) => value.AsSpan().IndexOfAny('\\', '"', '\n') < 0 ? value
        : value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    /// <summary>One set of labels of an instrument.</summary>
    private class Series
    {
        private double _value;

        protected Lock Gate { get; } = new();

        public static Series For(Instrument instrument) => instrument is Histogram<double> ? new Buckets() : new Series();

        public virtual void Add(double value, bool replace)
        {
            lock (Gate)
                _value = replace ? value : _value + value;
        }

        public virtual void Write(StringBuilder text, string name, string labels)
        {
            lock (Gate)
                Line(text, name, labels, _value);
        }

        protected static void Line(StringBuilder text, string name, string labels, double value)
        {
            text.Append(name);
            if (labels.Length > 0)
                text.Append('{').Append(labels).Append('}');
            text.Append(CultureInfo.InvariantCulture, $" {value}\n");
        }
    }

    private sealed class Buckets : Series
    {
        // Seconds: commits are at the lower end, transactions with other servers at the upper.
        private static readonly double[] Bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

        private readonly long[] _counts = new long[Bounds.Length];
        private long _count;
        private double _sum;

        public override void Add(double value, bool replace)
        {
            lock (Gate)
            {
                _count++;
                _sum += value;
                var at = Array.FindIndex(Bounds, bound => value <= bound);
                if (at >= 0)
                    _counts[at]++;
            }
        }

        public override void Write(StringBuilder text, string name, string labels)
        {
            lock (Gate)
            {
                var below = 0L;
                for (var i = 0; i < Bounds.Length; i++)
                    Line(text, name + "_bucket", Le(labels, Bounds[i].ToString(CultureInfo.InvariantCulture)), below += _counts[i]);
                Line(text, name + "_bucket", Le(labels, "+Inf"), _count);
                Line(text, name + "_sum", labels, _sum);
                Line(text, name + "_count", labels, _count);
            }
        }

        private static string Le(string labels, string bound) => $"{labels}{(labels.Length > 0 ? "," : "")}le=\"{bound}\"";
    }
}
