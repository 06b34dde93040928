namespace EventMail.Projections.Tests;

public sealed class EventStreamsTests
{
    [Fact]
    public void Each_event_has_a_kind_of_stream_and_each_kind_events()
    {
        EventStreams.Kinds.Keys.ShouldBe(EventTypes.Create().Aliases, ignoreOrder: true, "a new event needs its line in EventStreams.cs");
        EventStreams.Kinds.Values.Distinct().ShouldBe(ReadModels.Kinds.Select(kind => kind.Name), ignoreOrder: true);
    }
}
