using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text;
using EventMail.Host.Configuration;

namespace EventMail.Testing;

public sealed record TestServerOptions
{
    /// <summary>Settings as --set takes them. Every listener's port is 0 unless set.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>What `serve` is called with besides: --capture.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Variables of its environment.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Without --data: where the server makes a folder of its own. Stop it, or it stays.</summary>
    public bool OwnFolder { get; init; }

    /// <summary>A folder of an earlier server; a temporary one, deleted at the end, when null.</summary>
    public string? DataFolder { get; init; }

    /// <summary>Uses this database instead of one made for it.</summary>
    public string? ConnectionString { get; init; }

    /// <summary>
    /// An embedded PostgreSQL of its own, as people have it, instead of a database of <see cref="TestCluster"/>, which is there seconds
    /// sooner. So it is, too, with a data folder or an account that is chosen here.
    /// </summary>
    public bool Embedded { get; init; }

    /// <summary>fsync and what belongs to it as in production, for tests that kill PostgreSQL or the machine's caches.</summary>
    public bool Durable { get; init; }

    /// <summary>Another account to run as (needs root).</summary>
    public string? RunAs { get; init; }

    /// <summary>Each line of the log as it comes, also before the server is ready; from any thread.</summary>
    public Action<string>? Logged { get; init; }

    public TimeSpan StartTimeout { get; init; } = Waiting.Limit;

    internal bool IsShared => ConnectionString is null && DataFolder is null && RunAs is null && !Embedded && !Durable && !OwnFolder;
}

/// <summary>The real server as a process of its own, on free loopback ports.</summary>
public sealed class TestServer : IAsyncDisposable
{
    private static readonly string[] Listeners = ["Smtp", "Submission", "Submissions", "Imap", "Imaps", "Pop3", "Pop3s", "Http", "Capture"];

    private readonly Process _process;
    private readonly IDisposable? _watchdog;
    private readonly TestDatabase? _database;
    private readonly ConcurrentQueue<string> _log = new();
    private readonly TaskCompletionSource<string?> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<string> _output = new();

    private readonly IReadOnlyList<string> _settings;
    private int _disposed;

    private TestServer(Process process, string dataFolder, IDisposable? watchdog, TestDatabase? database, IReadOnlyList<string> settings) =>
        (_process, DataFolder, _watchdog, _database, _settings) = (process, dataFolder, watchdog, database, settings);

    public string DataFolder { get; }
    public int ProcessId => _process.Id;

    /// <summary>The line that tells the listeners.</summary>
    public string ReadyLine { get; private set; } = "";

    /// <summary>Everything on standard error so far: the log.</summary>
    public string Log => string.Join('\n', _log);

    /// <summary>Everything on standard output so far.</summary>
    public string Output => string.Join('\n', _output);

    public bool HasListener(string name) => Addresses().ContainsKey(name);

    /// <summary>Where the listener of that name (smtp, imaps, …) is.</summary>
    public IPEndPoint this[string listener] => Addresses()[listener];

    /// <summary>Starts it and waits for its ready line.</summary>
    /// <exception cref="TestServerFailedException">It ended instead.</exception>
    public static async Task<TestServer> StartAsync(TestServerOptions? options = null)
    {
        options ??= new();
        var database = options.IsShared ? await PreparedDatabase.OfServerAsync() : null;
        if (database is not null)
            options = options with { ConnectionString = database.ConnectionString };
        var folder = options.DataFolder ?? Watchdog.NewFolder(onDisk: options.Durable);
        var watchdog = options.DataFolder is null ? Watchdog.Guard(folder) : null;
        if (options is { ConnectionString: null, DataFolder: null, RunAs: null, OwnFolder: false })
            await FreshCluster.CopyToAsync(folder);
        var arguments = new List<string>(["serve", .. options.Arguments, .. options.OwnFolder ? [] : new[] { "--data", folder }]);
        foreach (var setting in SettingsOf(options))
            arguments.AddRange(["--set", setting]);

        var start = Command(arguments, options.RunAs);
        foreach (var (name, value) in options.Environment)
            start.Environment[name] = value;
        var server = new TestServer(new() { StartInfo = start, EnableRaisingEvents = true }, folder, watchdog, database, [.. SettingsOf(options)]);
        server.Start(options.Logged);
        var ready = server._ready.Task;
        if (await Task.WhenAny(ready, Task.Delay(options.StartTimeout)) != ready || await ready is not { } line)
        {
            var state = ready.IsCompleted ? $"ended with {await server.WaitForExitAsync()}" : "is not ready in time";
            int? exitCode = server._process.HasExited ? server._process.ExitCode : null;
            server.Kill();
            await server.DisposeAsync();
            throw new TestServerFailedException($"The server {state}:\n{server.Log}", exitCode);
        }
        server.ReadyLine = line;
        return server;
    }

    /// <summary>Runs one of the program's other commands on a data folder, as a process of its own.</summary>
    public static Task<CommandResult> RunAsync(string dataFolder, params IEnumerable<string> arguments) =>
        RunAsync(dataFolder, new Dictionary<string, string>(), arguments);

    /// <summary>The same with variables in its environment.</summary>
    public static async Task<CommandResult> RunAsync(
        string dataFolder, IReadOnlyDictionary<string, string> environment, params IEnumerable<string> arguments)
    {
        var start = Command([.. arguments, "--data", dataFolder], null);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().InTime(string.Join(' ', start.ArgumentList));
            return new(process.ExitCode, await output.InTime(), await error.InTime());
        }
        finally
        {
            process.Kill();
        }
    }

    /// <summary>Begins one of the program's other commands as a process of its own: to be killed. What it prints goes nowhere.</summary>
    public static Process Begin(params IEnumerable<string> arguments) => Follow(static _ => { }, static _ => { }, arguments);

    /// <summary>The same, told of each line that it prints to standard output and to standard error.</summary>
    public static Process Follow(Action<string> printed, Action<string> complained, params IEnumerable<string> arguments)
    {
        var process = Process.Start(Command(arguments, null))!;
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is not null)
                printed(line.Data);
        };
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not null)
                complained(line.Data);
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    /// <summary>Runs one of the program's other commands on this server's data folder, with its settings.</summary>
    public Task<CommandResult> RunAsync(params IEnumerable<string> arguments)
    {
        string[] all = [.. arguments, .. _settings.SelectMany(setting => new[] { "--set", setting })];
        // Variables for the tests would be taken for settings: a process of its own does without them.
        return VariablesOf(Environment.GetEnvironmentVariables().Keys.Cast<string>()).Any()
            ? RunAsync(DataFolder, all)
            : TestCommand.RunAsync([.. all, "--data", DataFolder]);
    }

    /// <summary>kill -9</summary>
    public void Kill() => _process.Kill();

    /// <summary>Sends a signal by its name: TERM, INT.</summary>
    public void Signal(string name) => Process.Start("kill", [$"-{name}", ProcessId.ToString()])!.Dispose();

    /// <summary>SIGTERM, then waits for the end.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> StopAsync()
    {
        Signal("TERM");
        return await WaitForExitAsync();
    }

    public async Task<int> WaitForExitAsync()
    {
        await _process.WaitForExitAsync().InTime($"the end of the server\n{Log}");
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        if (!_process.HasExited)
        {
            // A temporary folder's PostgreSQL is the watchdog's; another test may want to find the other one as it is left.
            if (_watchdog is not null)
                _process.Kill();
            else
                Signal("TERM");
            await WaitForExitAsync();
        }
        _process.Dispose();
        _watchdog?.Dispose();
        if (_database is not null)
            await _database.DisposeAsync();
    }

    private void Start(Action<string>? logged)
    {
        _process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is null)
            {
                _ready.TrySetResult(null);
                return;
            }
            _output.Enqueue(line.Data);
            if (line.Data == "ready" || line.Data.StartsWith("ready ", StringComparison.Ordinal))
                _ready.TrySetResult(line.Data);
        };
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null)
                return;
            _log.Enqueue(line.Data);
            logged?.Invoke(line.Data);
        };
        _process.Start();
        _process.StandardInput.Close();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    private Dictionary<string, IPEndPoint> Addresses() => ReadyLine.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1)
        .Select(word => word.Split('=', 2)).ToDictionary(pair => pair[0], pair => IPEndPoint.Parse(pair[1]));

    private static IEnumerable<string> SettingsOf(TestServerOptions options)
    {
        foreach (var listener in Listeners)
            yield return $"{listener}:Port=0";
        // No test sends mail into the world: those that deliver name a DNS or a smarthost of their own.
        yield return "Delivery:Enabled=false";
        if (options.ConnectionString is not null)
            yield return $"Database:ConnectionString={options.ConnectionString}";
        else if (!options.Durable)
        {
            foreach (var (name, value) in TestCluster.Settings)
                yield return $"Database:Settings:{name}={value}";
        }
        foreach (var setting in options.Settings)
            yield return setting;
    }

    private static ProcessStartInfo Command(IEnumerable<string> arguments, string? runAs)
    {
        var start = new ProcessStartInfo
        {
            FileName = runAs is null ? "dotnet" : "setpriv",
            WorkingDirectory = "/",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        if (runAs is not null)
        {
            var group = File.ReadLines("/etc/passwd").Select(line => line.Split(':')).First(fields => fields[0] == runAs)[3];
            foreach (var word in (string[])["--reuid", runAs, "--regid", group, "--clear-groups", "dotnet"])
                start.ArgumentList.Add(word);
        }
        start.ArgumentList.Add(TestProgram.Path);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var name in VariablesOf(start.Environment.Keys).ToList())
            start.Environment.Remove(name);
        // Pays off after minutes only, and every start pays for it.
        start.Environment["DOTNET_TieredPGO"] = "0";
        return start;
    }

    private static IEnumerable<string> VariablesOf(IEnumerable<string> names) => names.Where(name => name.StartsWith(SettingsSources.EnvironmentPrefix, StringComparison.Ordinal));
}

public sealed record CommandResult(int ExitCode, string Output, string Error);

public sealed class TestServerFailedException(string message, int? exitCode) : Exception(message)
{
    public int? ExitCode => exitCode;
}
