namespace EventMail.EndToEnd.Filters;

/// <summary>A real rspamd, without Redis, DNS and all that needs them: its rules about the message itself, and the patterns made for tests.</summary>
internal sealed class Rspamd : IAsyncDisposable
{
    // GTUBE in the variants that rspamd has for each of its actions.
    private const string Gtube = "JS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";

    public const string Rejected = "X" + Gtube;
    public const string Marked = "Y" + Gtube;
    public const string Rewritten = "Z" + Gtube;

    private readonly FilterProgram _program;

    private Rspamd(FilterProgram program, int worker, int milter) => (_program, Worker, Milter) = (program, worker, milter);

    /// <summary>The port of HTTP.</summary>
    public int Worker { get; }

    /// <summary>The port of its milter.</summary>
    public int Milter { get; }

    public string Url => $"http://127.0.0.1:{Worker}";

    public static async Task<Rspamd> StartAsync()
    {
        var (worker, milter) = (FilterProgram.FreePort(), FilterProgram.FreePort());
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        var program = await FilterProgram.StartAsync(
            async folder =>
            {
                await File.WriteAllTextAsync(Path.Combine(folder, "rspamd.conf"), Configuration(folder, worker, milter));
                // The whole list of public suffixes takes it half a minute to compile.
                await File.WriteAllTextAsync(Path.Combine(folder, "tld"), "com\norg\nnet\ntest\nexample\n");
                // -i: it may run as root.
                return ["rspamd", "-f", "-i", "-c", Path.Combine(folder, "rspamd.conf")];
            },
            async _ => (await http.GetStringAsync($"http://127.0.0.1:{worker}/ping")).StartsWith("pong", StringComparison.Ordinal));
        return new(program, worker, milter);
    }

    public ValueTask DisposeAsync() => _program.DisposeAsync();

    private static string Configuration(string folder, int worker, int milter) =>
        $$"""
        options {
          pidfile = "{{folder}}/pid";
          tempdir = "{{folder}}";
          filters = "chartable,regexp";
          dns { nameserver = ["127.0.0.1:9"]; timeout = 0.1s; retransmits = 1; }
          cache_file = "{{folder}}/symbols.cache";
          hs_cache_dir = "{{folder}}";
          url_tld = "{{folder}}/tld";
          disable_hyperscan = true;
          control_socket = "{{folder}}/control.sock mode=0600";
          gtube_patterns = "all";
        }
        logging { type = "console"; level = "warning"; }
        worker "normal" { bind_socket = "127.0.0.1:{{worker}}"; count = 1; }
        worker "rspamd_proxy" {
          bind_socket = "127.0.0.1:{{milter}}"; milter = yes; timeout = 20s; count = 1;
          upstream "local" { default = yes; hosts = "127.0.0.1:{{worker}}"; }
        }
        actions { reject = 15; add_header = 6; greylist = 4; }
        lua = "/usr/share/rspamd/rules/rspamd.lua";
        modules { path = "/usr/share/rspamd/plugins/"; fallback_path = "/usr/share/rspamd/lua"; }
        settings {}
        milter_headers { use = ["x-spamd-result"]; skip_local = false; skip_authenticated = false; routines {} }
        """;
}
