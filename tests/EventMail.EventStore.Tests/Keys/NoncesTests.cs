namespace EventMail.EventStore.Tests.Keys;

public class NoncesTests
{
    [Fact]
    public async Task None_comes_twice_from_however_many_threads()
    {
        const int threads = 4, each = 1000; // many draws each
        var all = await Task.WhenAll(Enumerable.Range(0, threads).Select(_ => Task.Factory.StartNew(
            () =>
            {
                var nonces = new List<string>(each);
                var nonce = new byte[AesBox.NonceBytes];
                for (var i = 0; i < each; i++)
                {
                    Array.Clear(nonce);
                    Nonces.Next(nonce);
                    nonces.Add(Convert.ToHexString(nonce));
                }
                return nonces;
            },
            TaskCreationOptions.LongRunning)));
        all.SelectMany(nonces => nonces).Distinct().Count().ShouldBe(threads * each);
        all.SelectMany(nonces => nonces).ShouldNotContain(new string('0', 2 * AesBox.NonceBytes));
    }
}
