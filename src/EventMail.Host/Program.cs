Console.WriteLine("eventmail");
