using System.Globalization;

/// One server's medians beside the others', with ratios: above 1 is ahead of the best of them. What is behind is listed again.
static class Versus
{
    sealed record Row(string Label, string Case, Dictionary<string, double> Values);

    sealed class Cell(List<Dictionary<string, double>> runs, bool delivered)
    {
        public double this[string key] { get { var a = runs.Where(r => r.ContainsKey(key)).Select(r => r[key]).Order().ToArray(); return a.Length == 0 ? double.NaN : (a[(a.Length - 1) / 2] + a[a.Length / 2]) / 2; } }
        string Prefix => double.IsNaN(this["p50_ms"]) ? "from250_" : "";
        // Who answers 250 before delivery is measured by what has arrived.
        public double Rate => delivered && !double.IsNaN(this["delivered_ops_s"]) ? this["delivered_ops_s"] : this["ops_s"];
        public double P50 => this[Prefix + "p50_ms"];
        public double P99 => this[Prefix + "p99_ms"];
        public double Cpu => this["server_cpu_us_per_op"] is > 0 and var us ? us : double.NaN;
        public double Memory => double.IsNaN(Rate) ? this["rss_kb_per_conn"] : double.NaN;
        public override string ToString()
        {
            var t = new List<string>();
            if (!double.IsNaN(Rate)) t.Add(F(Rate) + "/s");
            if (!double.IsNaN(P50)) t.Add(F(P50) + " ms" + (P99 > P50 ? $" (p99 {F(P99)})" : ""));
            if (!double.IsNaN(Cpu)) t.Add(F(Cpu) + " µs");
            if (!double.IsNaN(Memory)) t.Add($"{F(Memory)} KB (PSS {F(this["pss_kb_per_conn"])})");
            return string.Join(", ", t);
        }
    }

    public static void Write(IEnumerable<(string label, string name, Dictionary<string, double> v)> lines, string ours)
    {
        var rows = lines.Where(l => !l.v.ContainsKey("errors")).Select(l => new Row(l.label, l.name, l.v)).ToList();
        var peers = rows.Select(r => r.Label).Distinct().Where(l => l != ours).ToList();
        Cell? At(string label, string name) => rows.Where(r => r.Label == label && r.Case == name).Select(r => r.Values).ToList() is { Count: > 0 } runs ? new(runs, label != ours && name.StartsWith("smtp", StringComparison.Ordinal)) : null;

        Console.WriteLine("Medians: rate, time of a command (99th percentile), server CPU per operation (with its database); ratios above 1.00 are ahead of the best peer." +
            "\nA peer that answers 250 before it delivers (smtp) is measured by what has arrived; raw is plain batched Npgsql that writes the same rows.\n");
        Console.WriteLine($"| case | {ours} | {string.Join(" | ", peers)} | rate × | time × | CPU × |\n|---|---|{string.Concat(peers.Select(_ => "---|"))}---|---|---|");
        var behind = new List<string>();
        foreach (var name in rows.Select(r => r.Case).Distinct())
        {
            var us = At(ours, name);
            var them = peers.Select(p => At(p, name)).ToList();
            var known = them.OfType<Cell>().ToList();
            double Most(Func<Cell, double> f) => known.Select(f).Where(d => !double.IsNaN(d)).DefaultIfEmpty(double.NaN).Max();
            double Least(Func<Cell, double> f) => known.Select(f).Where(d => !double.IsNaN(d)).DefaultIfEmpty(double.NaN).Min();
            var rate = (us?.Rate ?? double.NaN) / Most(c => c.Rate);
            var time = Least(c => double.IsNaN(c.P50) ? c.Memory : c.P50) / (us is null ? double.NaN : double.IsNaN(us.P50) ? us.Memory : us.P50);
            var cpu = Least(c => c.Cpu) / (us?.Cpu ?? double.NaN);
            Console.WriteLine($"| {name} | {us} | {string.Join(" | ", them)} | {Ratio(rate)} | {Ratio(time)} | {Ratio(cpu)} |");
            if (rate < 1 || time < 1 || cpu < 1) behind.Add($"- {name}: rate {Ratio(rate)}, time {Ratio(time)}, CPU {Ratio(cpu)}");
        }
        Console.WriteLine($"\nBehind in something ({behind.Count}):\n\n{string.Join('\n', behind)}\n");
        Goals(ours, At, peers, rows.Select(r => r.Case).Distinct());
    }

    static void Goals(string ours, Func<string, string, Cell?> at, List<string> peers, IEnumerable<string> names)
    {
        Console.WriteLine("| goal | reached | ahead of it |\n|---|---|---|");
        void Least(string what, double value, double goal) { if (!double.IsNaN(value)) Console.WriteLine($"| {what}: at least {F(goal)} | {F(value)} | {(value >= goal ? "yes" : "**no**")} |"); }
        void Most(string what, double value, double goal) { if (!double.IsNaN(value)) Console.WriteLine($"| {what}: under {F(goal)} | {F(value)} | {(value < goal ? "yes" : "**no**")} |"); }
        double Rate(string label, string name) => at(label, name)?.Rate ?? double.NaN;
        double BestPeer(string name) => peers.Where(p => p is "maildir" or "mdbox").Select(p => Rate(p, name)).Where(d => !double.IsNaN(d)).DefaultIfEmpty(double.NaN).Max();
        foreach (var users in new[] { "100 users", "1 user" })
        {
            string smtp = $"smtp 4KB {users} c=10", lmtp = $"lmtp 4KB {users} c=10";
            Least($"ingest, {users}: times Postfix → Dovecot, delivered", Rate(ours, smtp) / BestPeer(smtp), 10);
            Least($"ingest, {users}: times Dovecot's LMTP", Rate(ours, smtp) / BestPeer(lmtp), 3);
            Most($"ingest, {users}: µs of server CPU a message", at(ours, smtp)?.Cpu ?? double.NaN, 600);
            Least($"ingest, {users}: share of the raw loop", Rate(ours, smtp) / Rate("raw", smtp), 0.5);
        }
        foreach (var name in names.Where(n => n.StartsWith("send", StringComparison.Ordinal)))
            Least($"{name}: times Postfix", Rate(ours, name) / Rate("postfix", name), 1);
        Least("append, 8 writers: thousand/s (three times Marten's 2.9)", Rate(ours, "log: append, 8 writers") / 1000, 8.7);
        Least("append, 8 writers: share of prepared INSERTs", Rate(ours, "log: append, 8 writers") / Rate("raw", "log: append, 8 writers"), 1);
        Least("login + logout, 10 connections: per second", Rate(ours, "login c=10"), 1000);
        Most("250 → EXISTS, 100 idle, lmtp: p99 ms", at(ours, "idle 100 lmtp")?.P99 ?? double.NaN, 5);
        Most("250 → EXISTS, 100 idle, smtp: p99 ms", at(ours, "idle 100 smtp")?.P99 ?? double.NaN, 5);
        Most("memory of 1,000 more idle plain connections: KB each", at(ours, "memory 1000 plain")?.Memory ?? double.NaN, 12);
        Most("memory of 10,000 more idle plain connections: KB each", at(ours, "memory 10000 plain")?.Memory ?? double.NaN, 12);
        Most("memory of 1,000 more idle TLS connections: KB each", at(ours, "memory 1000 tls")?.Memory ?? double.NaN, 50);
        double Ahead(string name) => peers.Select(p => at(p, name)?.P50 ?? double.NaN).Where(d => !double.IsNaN(d)).DefaultIfEmpty(double.NaN).Min() / (at(ours, name)?.P50 ?? double.NaN);
        foreach (var box in new[] { "big10k", "big100k" })
        {
            foreach (var row in new[] { "store 1:*", "copy 1k", "expunge 1k", "search BODY \"zanzibar\"", "search TEXT \"zanzibar\"" })
                Least($"{box} {row}: times the best peer", Ahead($"{box} {row}"), 10);
        }
        Least("memory of 200 idle connections: times the best peer's", peers.Select(p => at(p, "idle 200 hold")?.Memory ?? double.NaN).Where(d => !double.IsNaN(d)).DefaultIfEmpty(double.NaN).Min()
            / (at(ours, "idle 200 hold")?.Memory ?? double.NaN), 10);
    }

    static string Ratio(double d) => double.IsNaN(d) ? "" : d.ToString(d < 10 ? "0.00" : "0.0", CultureInfo.InvariantCulture);

    static string F(double d) => double.IsNaN(d) ? "" : d.ToString(d >= 100 ? "0" : d >= 10 ? "0.#" : "0.##", CultureInfo.InvariantCulture);
}
