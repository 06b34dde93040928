using System.Text.Json;

namespace EventMail.Host.Tests.Server;

public class RuntimeSettingsTests
{
    [Fact]
    public void Idle_workers_sleep_instead_of_spinning_on_the_cores_that_PostgreSQL_needs()
    {
        using var settings = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "eventmail.runtimeconfig.json")));
        settings.RootElement.GetProperty("runtimeOptions").GetProperty("configProperties")
            .GetProperty("System.Threading.ThreadPool.UnfairSemaphoreSpinLimit").GetInt32().ShouldBe(0);
    }
}
