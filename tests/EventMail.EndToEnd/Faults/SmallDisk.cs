using System.Diagnostics;

namespace EventMail.EndToEnd.Faults;

/// <summary>A file system of so many megabytes, in memory. Mounting needs root, and a container that lets root do it.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("eventmail-disk-").FullName;

    public SmallDisk(int megabytes)
    {
        if (Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m,mode=0711", "tmpfs", _path) is { } error)
        {
            Directory.Delete(_path);
            throw new InvalidOperationException(error);
        }
    }

    /// <summary>Why there can be none here; null: there can.</summary>
    public static string? WhyNot { get; } = Try();

    public string this[string name] => Path.Combine(_path, name);

    /// <summary>Takes what is free, but for so many kilobytes.</summary>
    public void Fill(int leaving)
    {
        using var ballast = File.Create(this["ballast"]);
        try
        {
            for (var block = new byte[64 * 1024]; new DriveInfo(_path).AvailableFreeSpace > (leaving + 64L) * 1024;)
            {
                ballast.Write(block);
            }
        }
        catch (IOException)
        {
            // The server was quicker: it is full.
        }
    }

    public void Free() => File.Delete(this["ballast"]);

    public void Dispose()
    {
        // At once, or when the last process that has it open has ended.
        if (Run("umount", "--lazy", _path) is null)
        {
            Directory.Delete(_path);
        }
    }

    private static string? Try()
    {
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root")
        {
            return "A small disk is mounted by root on Linux only.";
        }

        try
        {
            using var disk = new SmallDisk(1);
            return null;
        }
        catch (Exception error) when (error is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return $"No small disk can be mounted here: {error.Message}";
        }
    }

    // What it says when it cannot.
    private static string? Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? null : error.Trim();
    }
}

/// <summary>A test that fills a disk; skipped, and counted so, where none can be mounted.</summary>
public sealed class SmallDiskFactAttribute : FactAttribute
{
    public SmallDiskFactAttribute() => Skip = SmallDisk.WhyNot;
}
