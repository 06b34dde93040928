using System.Buffers.Binary;
using System.Text;
using EventMail.Protocols.Dns;
using EventMail.Protocols.Filters.Milter;
using EventMail.Protocols.Smtp.Data;
using EventMail.Testing;
using EventMail.Testing.Transcripts;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Protocols.Tests.Filters;

/// <summary>A milter in memory: what it is told it writes down, and it answers what the test wants.</summary>
internal sealed class ScriptedMilter
{
    public static readonly byte[] Continue = Packet('c');

    /// <summary>The command of each step, from the connection to the end of the message.</summary>
    public static TheoryData<char> EachStep => ['C', 'H', 'M', 'R', 'T', 'L', 'N', 'B', 'E'];

    /// <summary>Every packet: its command and its data, NULs as bars.</summary>
    public List<string> Told { get; } = [];

    /// <summary>Octets of the longest packet.</summary>
    public int Longest { get; private set; }

    public uint Version { get; init; } = 6;

    public MilterActions Actions { get; init; } = MilterChannel.Granted;

    public MilterSteps Steps { get; init; }

    /// <summary>Instead of its negotiation.</summary>
    public byte[]? Negotiation { get; init; }

    /// <summary>What it answers to a command, instead of "continue"; null for that.</summary>
    public Func<char, byte[]?> Answer { get; init; } = _ => null;

    /// <summary>The same by all that it is told, as in <see cref="Told"/>; asked first.</summary>
    public Func<string, byte[]?> AnswerTo { get; init; } = _ => null;

    /// <summary>Hangs up when it hears this.</summary>
    public char HangsUpAt { get; init; }

    /// <summary>How long it takes to answer the end of the message.</summary>
    public TimeSpan WorkAtEnd { get; init; }

    /// <summary>How often it was called.</summary>
    public int Calls { get; private set; }

    /// <summary>Its last connection has come to its end.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    public MilterStep Step(SpoolSpace spool, MilterOptions? options = null, string name = "inet:127.0.0.1:1", IDnsSource? names = null) => new(
        new MilterPeer(name, _ => ValueTask.FromResult(Connect()), names), spool, options ?? new() { ReplyTimeout = Waiting.Limit }, NullLogger.Instance);

    public static byte[] Packet(char reply, params object[] data)
    {
        using var packet = new MemoryStream();
        packet.Write(stackalloc byte[4]);
        packet.WriteByte((byte)reply);
        foreach (var part in data)
        {
            if (part is uint number)
                packet.Write(BigEndian(number));
            else
                packet.Write([.. Encoding.UTF8.GetBytes((string)part), 0]);
        }
        BinaryPrimitives.WriteUInt32BigEndian(packet.GetBuffer(), (uint)packet.Length - 4);
        return packet.ToArray();
    }

    private static byte[] BigEndian(uint number)
    {
        var octets = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(octets, number);
        return octets;
    }

    private Stream Connect()
    {
        Calls++;
        var (milter, mta) = MemoryConnection.Create(1 << 20);
        Ended = Task.Run(async () =>
        {
            await RunAsync(milter.Input.AsStream(), milter.Output.AsStream());
            await milter.Output.CompleteAsync();
        });
        return mta;
    }

    private async Task RunAsync(Stream input, Stream output)
    {
        var length = new byte[4];
        while (await input.ReadAtLeastAsync(length, 4, throwOnEndOfStream: false) == 4)
        {
            var packet = new byte[BinaryPrimitives.ReadUInt32BigEndian(length)];
            await input.ReadExactlyAsync(packet);
            Longest = Math.Max(Longest, packet.Length);
            var command = (char)packet[0];
            Told.Add(command == 'O' ? "O" : command + Encoding.Latin1.GetString(packet.AsSpan(1)).Replace('\0', '|'));
            if (command == 'Q' || command == HangsUpAt)
                return;
            if (command == 'E')
                await Task.Delay(WorkAtEnd);
            if (command == 'O')
                await output.WriteAsync(Negotiation ?? Packet('O', Version, (uint)Actions, (uint)Steps));
            else if ((AnswerTo(Told[^1]) ?? Answer(command)) is { } answer)
                await output.WriteAsync(answer);
            else if (command != 'D' && (Steps & SilentAt(command)) == 0)
                await output.WriteAsync(Continue);
        }
    }

    private static MilterSteps SilentAt(char command) => command switch
    {
        'C' => MilterSteps.NoReplyToConnect,
        'H' => MilterSteps.NoReplyToHelo,
        'M' => MilterSteps.NoReplyToMail,
        'R' => MilterSteps.NoReplyToRcpt,
        'T' => MilterSteps.NoReplyToData,
        'L' => MilterSteps.NoReplyToHeader,
        'N' => MilterSteps.NoReplyToEndOfHeaders,
        'B' => MilterSteps.NoReplyToBody,
        _ => MilterSteps.None,
    };
}
