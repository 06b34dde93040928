// What IMAP's extensions are for: resynchronising, many messages in one command, one session's change told to another.
using System.Text;

static partial class Program
{
    /// One APPEND with K messages (RFC 3502), R times.
    static void MultiAppend(Opt o)
    {
        var io = new ImapOpt(o); int k = o.I("count", 100); var gen = new Gen(o); var s = new Sampler(o); var lat = new Lat(io.Conns); long msgs = 0, dl = Deadline(o);
        Run.Threads(io.Conns, s, t =>
        {
            var m = io.Open(t, false); var buf = new byte[gen.Max + 64];
            return () =>
            {
                for (int r = 0; r < io.Repeat && Now < dl; r++)
                {
                    long t0 = Now; var head = $"APPEND {Imap.Q(io.Mailbox)}";
                    for (int i = 0; i < k; i++)
                    {
                        int n = (t * io.Repeat + r) * k + i, len = gen.Len(n);
                        if (i == 0) m.StartPart($"{head} {{{len}+}}\r\n"); else m.C.Send(B($" {{{len}+}}\r\n"));
                        gen.Build(n, buf, 0); m.C.Send(buf.AsSpan(0, len));
                    }
                    m.C.Send("\r\n"u8); m.Wait(); lat.Add(t, t0); Interlocked.Add(ref msgs, k);
                }
                Run.Later(m);
            };
        });
        var j = Run.Head(o, "imap-multiappend").A("conns", io.Conns).A("per_command", k).A("count", msgs).A("seconds", s.Secs).A("ops_s", msgs / s.Secs, 1);
        lat.Put(j); s.Put(j, msgs); Run.Tail(j);
    }

    /// SELECT (QRESYNC …) by a client that missed K changes: nine in ten are flags, of the rest as many messages went as came.
    static void Resync(Opt o)
    {
        var io = new ImapOpt(o); int k = o.I("changes", 1000), gone = k / 20, flags = k - 2 * gone; var s = new Sampler(o); var lat = new Lat(1);
        var m = io.Open(0, false); m.Cmd("ENABLE QRESYNC"); m.Select(io.Mailbox); int exists = m.Exists;
        long validity = m.Code("UIDVALIDITY"), since = m.Code("HIGHESTMODSEQ");
        using (var other = io.Open(0))
        {
            int step = Math.Max(1, exists / flags);
            for (int i = 0; i < flags; i++) other.Cmd($"STORE {1 + i * (long)step % exists} {(o.Has("minus") ? '-' : '+')}FLAGS.SILENT (\\Answered)");
            other.Cmd($"COPY 1:{gone} {Imap.Q(io.Mailbox)}"); other.Cmd($"STORE 1:{gone} +FLAGS.SILENT (\\Deleted)"); other.Cmd("EXPUNGE");
        }
        m.Cmd("CLOSE"); s.Begin();
        int fetched = 0, vanished = 0;
        for (int r = 0; r < io.Repeat; r++)
        {
            m.Fetched = m.Vanished = 0; long t0 = Now; m.Cmd($"SELECT {Imap.Q(io.Mailbox)} (QRESYNC ({validity} {since}))"); lat.Add(0, t0);
            (fetched, vanished) = (m.Fetched, m.Vanished); m.Cmd("CLOSE");
        }
        s.End();
        var j = Run.Head(o, "imap-resync").A("exists", exists).A("changes", k).A("fetched", fetched).A("vanished_ranges", vanished).A("count", io.Repeat).A("seconds", s.Secs);
        if (fetched < flags * 9 / 10) j.A("errors", 1).A("first_error", $"{fetched} of {flags} flag changes told");
        lat.Put(j); s.Put(j, io.Repeat); Run.Later(m); Run.Tail(j);
    }

    /// One session changes flags, another one idles: from the changing session's OK (and from its command) to the idling one's notice.
    static void Notice(Opt o)
    {
        var io = new ImapOpt(o); int n = o.I("messages", 300), gap = o.I("gap-ms", 2); var s = new Sampler(o); var fromOk = new Lat(1); var fromSend = new Lat(1); int missed = 0;
        using var watcher = io.Open(0); using var actor = io.Open(0);
        watcher.Start("IDLE"); while (watcher.C.Line()[0] != '+') { }
        long seen = 0; bool stop = false; using var sig = new SemaphoreSlim(0);
        var thread = new Thread(() =>
        {
            try { while (true) { var l = watcher.C.Line(); if (l.Length > 0 && l[0] == '*' && l.IndexOf("FETCH"u8) > 0) { Volatile.Write(ref seen, Now); sig.Release(); } } }
            catch (Exception e) { if (!Volatile.Read(ref stop)) Run.Err(e.Message); }
        })
        { IsBackground = true };
        thread.Start(); s.Begin();
        for (int k = 0; k < n; k++)
        {
            long t0 = Now; actor.Cmd($"STORE {1 + k / 2 % Math.Min(50, actor.Exists)} {(k % 2 == 0 ? '+' : '-')}FLAGS.SILENT (Noticed)"); long t1 = Now;
            if (!sig.Wait(5000)) { missed++; continue; }
            fromOk.AddTicks(0, Math.Max(0, Volatile.Read(ref seen) - t1)); fromSend.AddTicks(0, Volatile.Read(ref seen) - t0);
            Thread.Sleep(gap);
        }
        s.End(); Volatile.Write(ref stop, true);
        var j = Run.Head(o, "imap-notice").A("count", n - missed).A("missed", missed).A("seconds", s.Secs);
        fromSend.Put(j); fromOk.Put(j, "from_ok_"); s.Put(j, n); Run.Tail(j);
    }

    /// Makes K mailboxes, if they are not there.
    static void Mailboxes(Opt o)
    {
        var io = new ImapOpt(o); int k = o.I("count", 1000); using var m = io.Open(0, false); var s = new Sampler(o); s.Begin();
        for (int i = 0; i < k; i++) try { m.Cmd($"CREATE \"Work {i / 50:00}/Part {i:0000}\""); } catch (Exception e) when (e.Message.Contains("already exists", StringComparison.OrdinalIgnoreCase)) { }
        s.End(); var j = Run.Head(o, "imap-mailboxes").A("count", k).A("seconds", s.Secs).A("ops_s", k / s.Secs, 1); s.Put(j, k); Run.Tail(j);
    }
}
