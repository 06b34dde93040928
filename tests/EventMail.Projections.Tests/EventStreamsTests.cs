namespace EventMail.Projections.Tests;

public sealed class EventStreamsTests
{
    [Fact]
    public void Each_event_has_a_kind_of_stream_and_each_kind_events()
    {
        EventTypes.Create().Aliases.Except(EventStreams.Kinds.Keys).ShouldBeEmpty("a new event needs its place in EventStreams.cs");
        ReadModels.Kinds.Select(kind => kind.Name).Except(EventStreams.Kinds.Values).ShouldBeEmpty("a new kind of stream needs its line in EventStreams.cs");
    }
}
