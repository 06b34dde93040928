using System.Text;
using System.Text.Json;
using EventMail.Testing;

namespace EventMail.EndToEnd.Filters;

/// <summary>A real rspamd, without Redis and all that needs it: its rules about the message itself, DKIM, and the patterns made for tests.</summary>
internal sealed class Rspamd : IAsyncDisposable
{
    // GTUBE in the variants that rspamd has for each of its actions.
    private const string Gtube = "JS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";

    public const string Rejected = "X" + Gtube;
    public const string Marked = "Y" + Gtube;
    public const string Rewritten = "Z" + Gtube;

    /// <summary>A subject for which it asks for a delay.</summary>
    public const string Later = "come again";

    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(20) };

    // Greylisting would need a Redis, and time.
    private const string Rules =
        $$"""
        dofile("/usr/share/rspamd/rules/rspamd.lua")
        rspamd_config:register_symbol({
          name = "COME_AGAIN",
          type = "prefilter",
          callback = function(task)
            if task:get_subject() == "{{Later}}" then
              task:set_pre_result("soft reject", "Come again in a while", "tests")
            end
          end,
        })
        """;

    private readonly FilterProgram _program;

    private Rspamd(FilterProgram program, int worker, int milter) => (_program, Worker, Milter) = (program, worker, milter);

    /// <summary>The port of HTTP.</summary>
    public int Worker { get; }

    /// <summary>The port of its milter.</summary>
    public int Milter { get; }

    public string Url => $"http://127.0.0.1:{Worker}";

    /// <param name="dns">Its DNS server's port on loopback.</param>
    public static async Task<Rspamd> StartAsync(int dns)
    {
        var (worker, milter) = (TestPort.Free(), TestPort.Free());
        var program = await FilterProgram.StartAsync(
            async folder =>
            {
                await File.WriteAllTextAsync(Path.Combine(folder, "rspamd.conf"), Configuration(folder, worker, milter, dns));
                await File.WriteAllTextAsync(Path.Combine(folder, "rspamd.lua"), Rules);
                // The whole list of public suffixes takes it half a minute to compile.
                await File.WriteAllTextAsync(Path.Combine(folder, "tld"), "com\norg\nnet\ntest\nexample\n");
                // -i: it may run as root.
                return ["rspamd", "-f", "-i", "-c", Path.Combine(folder, "rspamd.conf")];
            },
            async _ => (await Http.GetStringAsync($"http://127.0.0.1:{worker}/ping")).StartsWith("pong", StringComparison.Ordinal));
        return new(program, worker, milter);
    }

    /// <summary>The rules that match a message.</summary>
    public async Task<IReadOnlyList<string>> SymbolsAsync(string message)
    {
        using var content = new ByteArrayContent(Encoding.Latin1.GetBytes(message));
        using var response = await Http.PostAsync(new Uri($"{Url}/checkv2"), content);
        using var answer = JsonDocument.Parse(await response.EnsureSuccessStatusCode().Content.ReadAsStreamAsync());
        return [.. answer.RootElement.GetProperty("symbols").EnumerateObject().Select(symbol => symbol.Name)];
    }

    public ValueTask DisposeAsync() => _program.DisposeAsync();

    private static string Configuration(string folder, int worker, int milter, int dns) =>
        $$"""
        options {
          pidfile = "{{folder}}/pid";
          tempdir = "{{folder}}";
          filters = "chartable,regexp,dkim";
          dns { nameserver = ["127.0.0.1:{{dns}}"]; timeout = 5s; }
          cache_file = "{{folder}}/symbols.cache";
          hs_cache_dir = "{{folder}}";
          url_tld = "{{folder}}/tld";
          disable_hyperscan = true;
          control_socket = "{{folder}}/control.sock mode=0600";
          enable_test_patterns = true;
        }
        logging { type = "console"; level = "warning"; }
        worker "normal" { bind_socket = "127.0.0.1:{{worker}}"; count = 1; }
        worker "rspamd_proxy" {
          bind_socket = "127.0.0.1:{{milter}}"; milter = yes; timeout = 20s; count = 1;
          upstream "local" { default = yes; hosts = "127.0.0.1:{{worker}}"; }
        }
        actions { reject = 15; rewrite_subject = 8; add_header = 6; greylist = 4; }
        lua = "{{folder}}/rspamd.lua";
        modules { path = "/usr/share/rspamd/plugins/"; fallback_path = "/usr/share/rspamd/lua"; }
        settings {}
        dkim { check_local = true; check_authed = true; }
        milter_headers { use = ["x-spamd-result"]; skip_local = false; skip_authenticated = false; routines {} }
        """;
}
