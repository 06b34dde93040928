using System.Globalization;
using Xunit.Abstractions;

namespace EventMail.Protocols.Tests.Imap.Model;

public sealed class StateModelTests(ImapFixture fixture, ITestOutputHelper output) : IClassFixture<ImapFixture>
{
    private const int Steps = 1500;

    // How many more seeds, and how many steps each: EVENTMAIL_MODEL_SEEDS=500 or 500x2000; from which on: 500x2000+1000.
    private static readonly string? More = Environment.GetEnvironmentVariable("EVENTMAIL_MODEL_SEEDS");

    // Seeds that found something stay here.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public Task Several_sessions_agree_with_the_model(int seed) => new StateModel(fixture, seed).RunAsync(Steps);

    // More than a chunk of a view holds.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public Task Several_sessions_agree_with_the_model_on_two_thousand_messages(int seed) => new StateModel(fixture, seed, 2000).RunAsync(100);

    [Fact]
    public async Task More_seeds_when_asked_for()
    {
        if (string.IsNullOrEmpty(More))
            return;
        var parts = More.Split('x', '+').Select(part => int.Parse(part, CultureInfo.InvariantCulture)).ToArray();
        var (count, steps, first) = (parts[0], More.Contains('x', StringComparison.Ordinal) ? parts[1] : Steps, More.Contains('+', StringComparison.Ordinal) ? parts[^1] : 1000);
        for (var seed = first; seed < first + count; seed++)
        {
            await new StateModel(fixture, seed).RunAsync(steps);
            output.WriteLine($"seed {seed}: {steps} steps");
        }
    }
}
