using System.Buffers.Text;
using Microsoft.Win32.SafeHandles;

/// What a smtp-sink of Postfix's has taken: with -c it writes "sess=S quit=Q mesg=M" and a CR whenever one of them grows.
sealed class Sink(string file) : IDisposable
{
    const int LineMax = 128;
    readonly SafeFileHandle output = File.OpenHandle(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);

    public long Messages()
    {
        Span<byte> tail = stackalloc byte[2 * LineMax];
        var text = tail[..RandomAccess.Read(output, tail, Math.Max(0, RandomAccess.GetLength(output) - tail.Length))];
        var whole = text[..(text.LastIndexOf((byte)'\r') + 1)];
        var at = whole.LastIndexOf("mesg="u8);
        return at >= 0 && Utf8Parser.TryParse(whole[(at + 5)..], out long count, out _) ? count : 0;
    }

    /// Returns when so many have come, or the time is up.
    public bool Await(long count, long deadline)
    {
        while (Messages() < count)
        {
            if (System.Diagnostics.Stopwatch.GetTimestamp() > deadline) { Run.Err($"the sink has {Messages()} of {count} messages"); return false; }
            Thread.Sleep(2);
        }
        return true;
    }

    public void Dispose() => output.Dispose();
}

static partial class Program
{
    /// Messages that wait in a server's queue, from the first to the last at the sink; the CPU is that of the whole time.
    static void Drain(Opt o)
    {
        int n = o.I("messages", 1000); using var sink = new Sink(o.S("sink", "")); var s = new Sampler(o); long dl = Deadline(o), before = o.I("before", 0);
        if (sink.Messages() != before) Run.Err($"{sink.Messages() - before} messages came too early");
        s.Begin(); sink.Await(before + 1, dl); long first = Now, had = sink.Messages(); sink.Await(before + n, dl); long last = Now;
        s.End(); s.Clock(first, last); long done = sink.Messages() - had;
        var j = Run.Head(o, "drain").A("count", n).A("seconds", s.Secs).A("ops_s", done / s.Secs, 1); s.Put(j, n); Run.Tail(j);
    }
}
