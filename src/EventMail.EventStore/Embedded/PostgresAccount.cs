using System.Diagnostics;
using System.Globalization;

namespace EventMail.EventStore.Embedded;

/// <summary>
/// The operating system's account that PostgreSQL runs as: ours, or, since PostgreSQL refuses to run as root, `postgres` or
/// else `nobody` when we are root.
/// </summary>
internal sealed record PostgresAccount(string Name, uint UserId, uint GroupId, bool IsOurs)
{
    private static readonly string[] Candidates = ["postgres", "nobody"];

    public static PostgresAccount Choose(string? configured)
    {
        if (!Posix.IsRoot)
            return new(Environment.UserName, 0, 0, IsOurs: true);

        var accounts = ReadPasswd();
        foreach (var name in configured is null ? Candidates : [configured])
        {
            if (accounts.TryGetValue(name, out var account) && account.UserId != 0)
                return account;
        }
        throw new EmbeddedPostgresException(
            $"PostgreSQL does not run as root and there is no user {configured ?? string.Join(" or ", Candidates)} for it. " +
            "Add one (useradd --system postgres), or set Database:RunAs.");
    }

    /// <summary>A process of this account, in a session of its own: a Ctrl-C in our terminal must not reach it.</summary>
    public ProcessStartInfo Command(string program, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo
        {
            FileName = "setsid",
            // Our own working directory may be closed to the account.
            WorkingDirectory = "/",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (!IsOurs)
        {
            foreach (var word in (string[])["setpriv", $"--reuid={UserId}", $"--regid={GroupId}", "--init-groups"])
                start.ArgumentList.Add(word);
        }
        start.ArgumentList.Add(program);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("PG", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        start.Environment["LC_ALL"] = "C";
        return start;
    }

    /// <summary>Runs to the end; the exit code and everything it said.</summary>
    public async Task<(int ExitCode, string Output)> RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancel)
    {
        using var process = Process.Start(Command(program, arguments))!;
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync(cancel);
        var output = await process.StandardOutput.ReadToEndAsync(cancel);
        await process.WaitForExitAsync(cancel);
        return (process.ExitCode, (output + await error).Trim());
    }

    public async Task<bool> CanEnterAsync(string folder, CancellationToken cancel) =>
        (await RunAsync("test", ["-x", folder], cancel)).ExitCode == 0;

    /// <summary>Makes a folder that only this account can look into.</summary>
    public void MakeOwnFolder(string path)
    {
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        TakeOver(path);
    }

    public void TakeOver(string path)
    {
        if (!IsOurs)
            Posix.ChangeOwner(path, this);
    }

    private static Dictionary<string, PostgresAccount> ReadPasswd()
    {
        var accounts = new Dictionary<string, PostgresAccount>();
        foreach (var line in File.ReadLines("/etc/passwd"))
        {
            // name:password:uid:gid:…
            if (line.Split(':') is [var name, _, var user, var group, ..]
                && uint.TryParse(user, CultureInfo.InvariantCulture, out var userId)
                && uint.TryParse(group, CultureInfo.InvariantCulture, out var groupId))
            {
                accounts.TryAdd(name, new(name, userId, groupId, IsOurs: false));
            }
        }
        return accounts;
    }
}
